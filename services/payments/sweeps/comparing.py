"""What a provider's word means for a payment that has its end here. Pure."""

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from services.payments.alarms.tables import AlarmKind
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.sweeps.tables import Finding


@dataclass(frozen=True, slots=True)
class Ended:
    """A payment as our books have it."""

    instruction_id: UUID
    status: Status
    paid_minor: int
    currency: str
    transaction_reference: str | None
    server_correlation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found, and whom it concerns."""

    finding: Finding
    detail: str | None = None
    alarm: AlarmKind | None = None
    """To be raised by the sweep."""
    is_news: bool = False
    """The answer is applied as any other, with the moves and alarms that follow from it."""


AGREES = Comparison(Finding.AGREES)
UNANSWERED = Comparison(Finding.UNANSWERED, "The provider gave no answer that can be read.")


def compare(ended: Ended, answer: Answer) -> Comparison:
    """Our end of a payment against the provider's word."""
    match answer.kind:
        case AnswerKind.NO_ANSWER | AnswerKind.UNSENDABLE | AnswerKind.NOT_SENT:
            return UNANSWERED
        case AnswerKind.SETTLED | AnswerKind.REJECTED | AnswerKind.PENDING | AnswerKind.NOT_KNOWN:
            return (
                _of_settled(ended, answer)
                if ended.status is Status.SETTLED
                else _of_rejected(answer)
            )
        case _:
            assert_never(answer.kind)


def _of_settled(ended: Ended, answer: Answer) -> Comparison:
    match answer.kind:
        case AnswerKind.SETTLED:
            detail = _difference(ended, answer)
            return Comparison(Finding.DIFFERS, detail, is_news=True) if detail else AGREES
        case AnswerKind.REJECTED:
            return Comparison(
                Finding.DIFFERS,
                f"Settled here; the provider says that it rejected it ({answer.reason}).",
                is_news=True,
            )
        case AnswerKind.NOT_KNOWN:
            return Comparison(
                Finding.DIFFERS,
                "Settled here; the provider says that it never booked it.",
                alarm=AlarmKind.SETTLED_NOT_BOOKED,
            )
        case _:
            return Comparison(
                Finding.DIFFERS,
                "Settled here; the provider says that it has not decided on it.",
                alarm=AlarmKind.SETTLED_NOT_BOOKED,
            )


def _of_rejected(answer: Answer) -> Comparison:
    match answer.kind:
        case AnswerKind.SETTLED:
            return Comparison(
                Finding.DIFFERS,
                "Rejected here; the provider booked it. It is recorded as a late success.",
                is_news=True,
            )
        case AnswerKind.PENDING:
            return Comparison(
                Finding.DIFFERS,
                "Rejected here; the provider says that it has not decided on it.",
                alarm=AlarmKind.CONTRADICTION,
            )
        case _:
            # What it rejected, a provider may also have forgotten.
            return AGREES


def _difference(ended: Ended, answer: Answer) -> str | None:
    if answer.our_reference not in (None, ended.instruction_id):
        return "The provider's transaction carries another reference than our instruction."
    if (answer.amount_minor, answer.currency) != (ended.paid_minor, ended.currency):
        return (
            f"We recorded {ended.paid_minor} {ended.currency}; the provider says "
            f"{answer.amount_minor} {answer.currency or 'of no currency'}."
        )
    references = (ended.transaction_reference, answer.transaction_reference)
    if None not in references and references[0] != references[1]:
        return "The provider has it under another transaction reference than it told us."
    return None
