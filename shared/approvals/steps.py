"""What tells one kind of step that needs two persons from another."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.ext.asyncio import AsyncSession

from shared.approvals.tables import Approval
from shared.bounds import Bound
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step would do, as far as that is known when it is proposed."""

    what: str
    """In words, for whoever decides."""
    households: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    evidence_by: Sequence[str] = ()
    """Who posted what it follows from: they do not approve it."""


async def _nothing_follows(session: AsyncSession, proposal: Approval, clock: Clock) -> None:
    """Nothing was begun for it."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A kind of step: how long a proposal of it waits, and what its approval brings about."""

    kind: StrEnum
    waits: timedelta
    carry_out: Callable[[AsyncSession, Approval, Clock], Awaitable[str | None]]
    """In the transaction of the approval; the path of what came of it. Raises a Problem where it
    cannot be done any more. Long work is begun here and done by the worker."""
    turned_down: Callable[[AsyncSession, Approval, Clock], Awaitable[None]] = _nothing_follows
    """In the transaction of the decline: what was kept for the proposal learns of it."""


class Steps:
    """The steps of one service that need two persons, and the table of their proposals."""

    def __init__(
        self,
        table: type[Approval],
        kinds: type[StrEnum],
        steps: Iterable[Step],
        *,
        lies_within: Callable[[Sequence[str]], ColumnElement[bool]] | None = None,
    ) -> None:
        """``lies_within`` says which proposals are about nothing but what lies in some areas; None:
        none is, for whoever is bound to areas."""
        self.table = table
        self._lies_within = lies_within
        self.kinds = kinds
        self.by_kind: Mapping[StrEnum, Step] = {step.kind: step for step in steps}

    def shown_to(self, bound: Bound) -> ColumnElement[bool]:
        """Whether a proposal is told to a caller who is bound to these areas."""
        if bound is None:
            return true()
        return false() if self._lies_within is None else self._lies_within(bound)
