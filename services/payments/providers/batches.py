"""The face of a provider that takes many payments in one request, and ends them line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from services.payments.providers.answers import Answer
from services.payments.providers.protocol import Order, Permit


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """What is to be paid in one request, with the accounts still sealed."""

    batch_id: UUID
    currency: str
    lines: Sequence[Order]

    @property
    def total_minor(self) -> int:
        """What its lines come to."""
        return sum(line.money.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class BatchName:
    """By what a batch is asked for: our id, and what the provider calls it, where it has said."""

    batch_id: UUID
    provider_batch_id: str | None = None
    server_correlation_id: UUID | None = None


class BatchAnswerKind(StrEnum):
    CREATED = "created"
    """The provider has it and waits for our approval."""
    PENDING = "pending"
    """The provider has the request, and has not made a batch of it yet."""
    UNDER_WAY = "under_way"
    """The provider pays it: some of its results may be there."""
    COMPLETED = "completed"
    """The provider says that all of its results are there."""
    REFUSED = "refused"
    """Definite: the provider pays nothing of it and will not."""
    NOT_KNOWN = "not_known"
    """The provider says that it has never heard of it."""
    NO_ANSWER = "no_answer"
    """Silence, an error of theirs, or something that we cannot read: tells nothing."""
    NOT_TAKEN = "not_taken"
    """The provider says that it did not look at the request, for a reason that passes: of an
    earlier one under the same id that says nothing."""
    NOT_SENT = "not_sent"
    """Not the provider's: nothing was sent this time, for a reason of ours that passes."""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What a provider says of a batch as a whole."""

    kind: BatchAnswerKind
    reason: str | None = None
    """A code, never the provider's free text."""
    passes: bool = False
    """Of a refusal: it is about the provider's state or our float and not about the lines."""
    provider_batch_id: str | None = None
    server_correlation_id: UUID | None = None
    left_out: Mapping[UUID, Answer] = field(default_factory=dict)
    """Lines whose account could not be opened, and what that means for each: not sent."""
    provider_unwell: bool = False
    """The provider as a whole seems down or asks for less: leave it alone for a while."""
    rest_seconds: float | None = None
    """For how long it asks to be left alone, where it says so."""


class ResultKind(StrEnum):
    COMPLETIONS = "completions"
    REJECTIONS = "rejections"


class LineResult(NamedTuple):
    """How the provider says that one line ended: made for each of a country's payments."""

    kind: ResultKind
    our_reference: UUID | None
    transaction_reference: str | None = None
    reason: str | None = None
    """Of a rejection: a code."""
    is_decided: bool = True
    """False: it does not say whether the line was paid."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """Some results in the provider's order."""

    results: Sequence[LineResult]
    count: int
    """How many rows the page had, with those that could not be read as results; 0: no more now."""


@runtime_checkable
class AsksTransactions(Protocol):
    """One that can be asked about a single payment by the reference that it gave it."""

    async def ask_transaction(self, transaction_reference: str) -> Answer:
        """Ask what became of a payment; it raises nothing."""
        ...


@runtime_checkable
class BatchAdapter(Protocol):
    """Speaks to one configured provider about batches. Nothing that it sends raises here."""

    @property
    def code(self) -> str:
        """The provider's code."""
        ...

    async def send_batch(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        """Ask it to take a batch. Where the permit refuses, nothing leaves: NOT_SENT."""
        ...

    async def approve_batch(self, name: BatchName, permit: Permit) -> BatchAnswer:
        """Ask it to pay a batch that it has; as often as it takes."""
        ...

    async def ask_batch(self, name: BatchName) -> BatchAnswer:
        """Ask what became of a batch, by its own name where it gave one, then by our id."""
        ...

    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        """A page of results; None: it could not be read, and says nothing."""
        ...
