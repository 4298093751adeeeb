"""What an answer means for an instruction in a given state. Pure."""

from dataclasses import dataclass
from typing import assert_never

from services.payments.alarms.tables import AlarmKind
from services.payments.instructions.repository import Known
from services.payments.instructions.states import IN_FLIGHT, MAY_HAVE_BEEN_SENT, Status
from services.payments.providers.answers import Answer, AnswerKind


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: move it, tell a person, ask the provider now, or (all empty) nothing."""

    target: Status | None = None
    reason: str | None = None
    """Of the move; without one, what is kept of why there is no end yet."""
    alarm: AlarmKind | None = None
    alarm_detail: str = ""
    inquire: bool = False
    wait: bool = False
    """The answer says something that cannot be recorded yet: it is taken up again."""
    reference_is_anothers: bool = False
    """The transaction reference belongs to another payment: it is told, and not kept."""


NOTHING = Decision()


def decide(
    known: Known, answer: Answer, *, returns_our_reference: bool, reference_is_taken: bool
) -> Decision:
    """The one place where an answer meets a state: late, doubled and contradictory ones too.

    ``returns_our_reference``: the provider always does; ``reference_is_taken``: another settled
    payment of the provider has the answer's transaction reference.
    """
    match answer.kind:
        case AnswerKind.SETTLED:
            return _settled(
                known,
                answer,
                doubt=_doubt(
                    known,
                    answer,
                    returns_our_reference=returns_our_reference,
                    reference_is_taken=reference_is_taken,
                ),
            )
        case AnswerKind.REJECTED:
            return _rejected(known, answer)
        case AnswerKind.PENDING:
            if known.status in (Status.SENDING, Status.UNKNOWN):
                return Decision(Status.PENDING, reason=answer.reason)
            return Decision(reason=answer.reason) if known.status is Status.PENDING else NOTHING
        case AnswerKind.NOT_KNOWN:
            if known.status is Status.PENDING:
                return Decision(Status.UNKNOWN, reason="not_known_to_provider")
            return NOTHING
        case AnswerKind.NO_ANSWER | AnswerKind.NOT_SENT:
            if known.status is Status.SENDING:
                return Decision(Status.UNKNOWN, reason=answer.reason)
            return Decision(inquire=known.status in IN_FLIGHT)
        case AnswerKind.UNSENDABLE:
            # Not a rejection: an earlier sending of the same id may have reached the provider.
            if known.status is Status.SENDING:
                return Decision(
                    Status.HELD,
                    reason="account_unreadable",
                    alarm=AlarmKind.ACCOUNT_UNREADABLE,
                    alarm_detail="The sealed account does not open with the keys configured.",
                )
            return NOTHING
        case _:
            assert_never(answer.kind)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Why an answer that says paid is not believed."""

    reason: str
    detail: str
    reference_is_anothers: bool = False


def _settled(known: Known, answer: Answer, *, doubt: _Doubt | None) -> Decision:
    match known.status:
        case Status.SENDING | Status.PENDING | Status.UNKNOWN:
            if doubt:
                return Decision(
                    Status.HELD,
                    reason=doubt.reason,
                    alarm=AlarmKind.DIFFERENT_PAYMENT,
                    alarm_detail=doubt.detail,
                    reference_is_anothers=doubt.reference_is_anothers,
                )
            return Decision(Status.SETTLED)
        case Status.REJECTED:
            return Decision(
                Status.HELD,
                reason="late_success",
                alarm=AlarmKind.LATE_SUCCESS,
                alarm_detail="The provider reports it paid after it had rejected it. "
                + (doubt.detail if doubt else "Decide with POST /v1/instructions/{id}/resolution."),
                reference_is_anothers=doubt is not None and doubt.reference_is_anothers,
            )
        case Status.SETTLED:
            again = (
                answer.transaction_reference is not None
                and known.transaction_reference is not None
                and answer.transaction_reference != known.transaction_reference
            )
            detail = doubt.detail if doubt else ""
            if again:
                detail = "The provider reports it paid a second time, by another reference."
            if detail:
                return Decision(alarm=AlarmKind.DIFFERENT_PAYMENT, alarm_detail=detail)
            return NOTHING
        case Status.HELD | Status.RETURNED:
            return NOTHING
        case Status.READY:
            return _sent_for_all_we_know(known)
        case Status.CANCELLED:
            return Decision(
                alarm=AlarmKind.CONTRADICTION,
                alarm_detail="The provider reports it paid; here it is cancelled and was never "
                "sent. Ask the provider what it paid.",
            )
        case _:
            assert_never(known.status)


def _rejected(known: Known, answer: Answer) -> Decision:
    match known.status:
        case Status.SENDING | Status.PENDING | Status.UNKNOWN:
            return Decision(Status.REJECTED, reason=answer.reason)
        case Status.REJECTED | Status.HELD | Status.RETURNED:
            return NOTHING
        case Status.READY:
            return _sent_for_all_we_know(known)
        case Status.SETTLED | Status.CANCELLED:
            return Decision(
                alarm=AlarmKind.CONTRADICTION,
                alarm_detail=f"The provider reports it rejected ({answer.reason}); here it is "
                f"{known.status}. Compare with the provider's statement.",
            )
        case _:
            assert_never(known.status)


def _sent_for_all_we_know(known: Known) -> Decision:
    """The provider has had what we do not remember to have sent: it is asked before we send it.

    Where its round is not released yet, nothing could be sent either, and the answer waits.
    """
    if not known.is_released:
        return Decision(wait=True)
    return Decision(Status.UNKNOWN, reason=MAY_HAVE_BEEN_SENT, inquire=True)


def _doubt(
    known: Known, answer: Answer, *, returns_our_reference: bool, reference_is_taken: bool
) -> _Doubt | None:
    if difference := _difference(known, answer):
        return _Doubt("different_payment", difference, reference_is_anothers=reference_is_taken)
    if returns_our_reference and answer.our_reference is None:
        return _Doubt(
            "without_our_reference",
            "The provider's transaction does not carry our reference, which it always returns.",
            reference_is_anothers=reference_is_taken,
        )
    if reference_is_taken:
        return _Doubt(
            "repeated_reference",
            f"Another settled payment has the transaction reference {answer.transaction_reference}"
            " already. Ask the provider which of the two it paid.",
            reference_is_anothers=True,
        )
    return None


def _difference(known: Known, answer: Answer) -> str:
    if answer.our_reference not in (None, known.instruction_id):
        return "The provider's transaction carries another reference than our instruction."
    recorded = known.amount_minor if known.paid_minor is None else known.paid_minor
    if answer.tells_amount and (answer.amount_minor, answer.currency) != (recorded, known.currency):
        return "The provider paid another amount or currency than we ordered."
    return ""


def other_amount(known: Known, answer: Answer) -> int | None:
    """What the provider paid, where that is another amount than we ordered, of our currency."""
    if answer.amount_minor is None or answer.currency != known.currency:
        return None
    differs = answer.amount_minor not in (known.amount_minor, 0)
    return answer.amount_minor if differs and answer.amount_minor > 0 else None
