"""What a provider told us about one payment, whatever the protocol it was told in."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class AnswerKind(StrEnum):
    SETTLED = "settled"
    REJECTED = "rejected"
    """Definite: the provider says that it did not and will not pay this."""
    PENDING = "pending"
    """The provider has it and has not decided."""
    NOT_KNOWN = "not_known"
    """The provider says that it has never heard of it."""
    NO_ANSWER = "no_answer"
    """Silence, an error of theirs, or something that we cannot read: tells nothing."""
    UNSENDABLE = "unsendable"
    """Not the provider's: we could not open the account, so nothing was sent this time."""
    NOT_SENT = "not_sent"
    """Not the provider's: nothing was sent this time, for a reason of ours that passes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Money fields are what the provider says it paid, where it says so.

    Neither amount nor currency: it was told that the payment is made and nothing of how much, as
    in the results of a batch. What it says and cannot be read is an amount that differs.
    """

    kind: AnswerKind
    reason: str | None = None
    """A code, never the provider's free text, which may name the account."""
    amount_minor: int | None = None
    currency: str | None = None
    our_reference: UUID | None = None
    transaction_reference: str | None = None
    server_correlation_id: UUID | None = None
    provider_unwell: bool = False
    """The provider as a whole seems down or asks for less: leave it alone for a while."""

    @property
    def tells_amount(self) -> bool:
        """Whether anything was said of how much was paid."""
        return (self.amount_minor, self.currency) != (None, None)
