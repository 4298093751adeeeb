"""What partners ask, as one value each: its words in the standard, and what answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.registry.spdci.messages.envelope import Json
from services.registry.spdci.messages.exchange import Answered, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that may be asked, at once or to be answered later."""

    name: str
    """In the header of a message that asks it."""
    answer: str
    """In the header of the answer."""
    path: str
    """Where the answer is sent, behind the partner's address."""
    references: Callable[[Json], list[str]]
    """Of the requests of a message, as far as they have one; raises Refused."""
    totals: Callable[[Json], tuple[int, ...]]
    """What the header of a message may count; raises Refused."""
    work: Callable[[Question], Awaitable[Answered]]
