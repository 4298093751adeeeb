"""The face of a provider: what the rest of the service may ask of it, whatever it speaks.

A folder beside this file speaks one protocol and implements ``Verifier``, and ``SingleAdapter``,
``BatchAdapter`` or ``FileAdapter``; ``adapters.py`` maps the protocols' names to them. Nothing else
knows which protocols there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from services.payments.providers.answers import Answer
from shared.money import Money


class Capability(StrEnum):
    """A way in which a provider takes payments."""

    SINGLE = "single"
    """One payment in one request, and asked about one by one."""
    BATCH = "batch"
    """Many payments in one request, with an answer for each."""
    FILE = "file"
    """A file of payments in, a file of results out."""
    LIST = "list"
    """A list for people who pay by hand, and their results by line."""


class Order(NamedTuple):
    """What is to be paid, with the account still sealed: made for each of a country's payments."""

    instruction_id: UUID
    household_id: UUID
    money: Money
    account_sealed: bytes


@dataclass(frozen=True, slots=True)
class SealedAccount:
    """An account that somebody may be paid into, sealed for their household."""

    household_id: UUID
    account_sealed: bytes


class Permit(Protocol):
    """Whether a request that moves money may still leave: asked right before it does."""

    def refusal(self) -> str | None:
        """Why it may not, as a code; None: it may, now."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a callback says, and of which instruction."""

    instruction_id: UUID
    answer: Answer


@dataclass(frozen=True, slots=True)
class ToldOfBatch:
    """That a callback speaks of a batch: the provider is asked, and its results are read."""

    provider_batch_id: str


class Verifier(Protocol):
    """Tells whether one configured provider has signed what came, and what it says."""

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
        """The id of a callback that it signed; ``now`` is in Unix seconds. Raises BadSignature."""
        ...

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        """As an adapter reads it."""
        ...


class Adapter(Protocol):
    """Speaks to one configured provider, and understands it: what all of them have.

    Neither the network nor anything that the provider sends raises here.
    """

    @property
    def code(self) -> str:
        """The provider's code in the settings, in the ledger and in paths."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """In which ways it takes payments."""
        ...

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        """What a verified callback says, or None where it speaks of nothing of ours."""
        ...

    async def close(self) -> None:
        """Give back what it holds open."""
        ...


@runtime_checkable
class SingleAdapter(Adapter, Protocol):
    """Of one that takes payments one at a time. What the provider says is an ``Answer``."""

    async def send(self, order: Order, permit: Permit) -> Answer:
        """Ask it to pay. Where the permit refuses, nothing leaves and the answer is NOT_SENT."""
        ...

    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        """Ask what became of an order, by its own id where it gave one, then by ours."""
        ...
