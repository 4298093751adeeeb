"""What an answer means for an instruction in a given state. Pure."""

from dataclasses import dataclass
from typing import assert_never

from services.payments.alarms.tables import AlarmKind
from services.payments.instructions.repository import Known
from services.payments.instructions.states import IN_FLIGHT, Status
from services.payments.providers.answers import Answer, AnswerKind


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: move it, tell a person, ask the provider now, or (all empty) nothing."""

    target: Status | None = None
    reason: str | None = None
    alarm: AlarmKind | None = None
    alarm_detail: str = ""
    inquire: bool = False


NOTHING = Decision()


def decide(known: Known, answer: Answer) -> Decision:
    """The one place where an answer meets a state: late, doubled and contradictory ones too."""
    match answer.kind:
        case AnswerKind.SETTLED:
            return _settled(known, answer)
        case AnswerKind.REJECTED:
            return _rejected(known, answer)
        case AnswerKind.PENDING:
            if known.status in (Status.SENDING, Status.UNKNOWN):
                return Decision(Status.PENDING)
            return NOTHING
        case AnswerKind.NOT_KNOWN:
            if known.status is Status.PENDING:
                return Decision(Status.UNKNOWN, reason="not_known_to_provider")
            return NOTHING
        case AnswerKind.NO_ANSWER:
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


def _settled(known: Known, answer: Answer) -> Decision:
    difference = _difference(known, answer)
    match known.status:
        case Status.SENDING | Status.PENDING | Status.UNKNOWN:
            if difference:
                return Decision(
                    Status.HELD,
                    reason="different_payment",
                    alarm=AlarmKind.DIFFERENT_PAYMENT,
                    alarm_detail=difference,
                )
            return Decision(Status.SETTLED)
        case Status.REJECTED:
            return Decision(
                Status.HELD,
                reason="late_success",
                alarm=AlarmKind.LATE_SUCCESS,
                alarm_detail="The provider reports it paid after it had rejected it. "
                + (difference or "Decide with POST /v1/instructions/{id}/resolution."),
            )
        case Status.SETTLED:
            again = (
                answer.transaction_reference is not None
                and known.transaction_reference is not None
                and answer.transaction_reference != known.transaction_reference
            )
            if again:
                difference = "The provider reports it paid a second time, by another reference."
            if difference:
                return Decision(alarm=AlarmKind.DIFFERENT_PAYMENT, alarm_detail=difference)
            return NOTHING
        case Status.HELD | Status.RETURNED:
            return NOTHING
        case Status.READY | Status.CANCELLED:
            return Decision(
                alarm=AlarmKind.CONTRADICTION,
                alarm_detail=f"The provider reports it paid; here it is {known.status} and was "
                "never sent. Ask the provider what it paid.",
            )
        case _:
            assert_never(known.status)


def _rejected(known: Known, answer: Answer) -> Decision:
    match known.status:
        case Status.SENDING | Status.PENDING | Status.UNKNOWN:
            return Decision(Status.REJECTED, reason=answer.reason)
        case Status.REJECTED | Status.HELD | Status.RETURNED:
            return NOTHING
        case Status.SETTLED | Status.READY | Status.CANCELLED:
            return Decision(
                alarm=AlarmKind.CONTRADICTION,
                alarm_detail=f"The provider reports it rejected ({answer.reason}); here it is "
                f"{known.status}. Compare with the provider's statement.",
            )
        case _:
            assert_never(known.status)


def _difference(known: Known, answer: Answer) -> str:
    if answer.our_reference not in (None, known.instruction_id):
        return "The provider's transaction carries another reference than our instruction."
    recorded = known.amount_minor if known.paid_minor is None else known.paid_minor
    if (answer.amount_minor, answer.currency) != (recorded, known.currency):
        return "The provider paid another amount or currency than we ordered."
    return ""


def other_amount(known: Known, answer: Answer) -> int | None:
    """What the provider paid, where that is another amount than we ordered, of our currency."""
    if answer.amount_minor is None or answer.currency != known.currency:
        return None
    differs = answer.amount_minor not in (known.amount_minor, 0)
    return answer.amount_minor if differs and answer.amount_minor > 0 else None
