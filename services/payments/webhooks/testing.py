"""The test button of a provider's engineer: what would be made of a callback, and what to mend."""

from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.answers import AnswerKind
from services.payments.providers.protocol import Told, ToldOfBatch
from services.payments.webhooks.receiving import Looked, Sender
from services.payments.webhooks.repository import instructions_here, ordered_and_settled
from services.payments.webhooks.schemas import TestedOut, Verdict

_WHAT_TO_DO = {
    Verdict.WOULD_BE_APPLIED: "Nothing: this is how a callback is to look.",
    Verdict.WOULD_BE_ASKED_ABOUT: "Nothing: the batch is asked for, and its results are read.",
    Verdict.WOULD_BE_UNMATCHED: "Send requestingOrganisationTransactionReference as we gave it, "
    "and only about payments that we ordered from you.",
    Verdict.WOULD_BE_MALFORMED: "Send a JSON object of the standard: a transaction with its "
    "transactionStatus, or an error with its errorCode and, in errorParameters, our "
    "requestingOrganisationTransactionReference.",
    Verdict.WOULD_BE_REFUSED: "Sign the bytes of the body as they leave, by Standard Webhooks 1.0: "
    "the HMAC-SHA256 of webhook-id, webhook-timestamp and body, joined by dots, with the secret "
    "that we gave you. webhook-timestamp is the present time in seconds since 1970.",
}
_OTHER_AMOUNT = (
    "Send the amount that you paid, of the payment that you paid: this one is ordered with "
    "{ordered} minor units. With another amount it would be held for a person, with an alarm."
)
_PAID = (
    "Send no rejection of a payment that you said was paid: it would change nothing, and be an "
    "alarm. What came back is told to our officers."
)


async def tested(session: AsyncSession, looked: Looked, *, sender: Sender) -> TestedOut:
    """What would be made of a callback of a provider."""
    verdict = await _verdict(session, looked, sender=sender)
    payment = looked.said if isinstance(looked.said, Told) else None
    answer = payment.answer if payment else None
    return TestedOut(
        signature=looked.refused_because or "good",
        verdict=verdict,
        about=_about(looked.said),
        reads_as=answer.kind if answer else None,
        reason=answer.reason if answer else None,
        instruction_id=payment.instruction_id if payment else None,
        amount_minor=answer.amount_minor if answer else None,
        currency=answer.currency if answer else None,
        transaction_reference=answer.transaction_reference if answer else None,
        what_to_do=await _what_to_do(session, verdict, payment),
    )


async def _what_to_do(session: AsyncSession, verdict: Verdict, payment: Told | None) -> str:
    if verdict is Verdict.WOULD_BE_APPLIED and payment is not None:
        ordered, is_settled = await ordered_and_settled(session, payment.instruction_id)
        said = payment.answer
        if said.kind is AnswerKind.SETTLED and said.amount_minor not in (None, ordered):
            return _OTHER_AMOUNT.format(ordered=f"{ordered:,}")
        if said.kind is AnswerKind.REJECTED and is_settled:
            return _PAID
    return _WHAT_TO_DO[verdict]


async def _verdict(session: AsyncSession, looked: Looked, *, sender: Sender) -> Verdict:
    if looked.refused_because is not None:
        # Whoever cannot sign is not told which payments there are.
        return Verdict.WOULD_BE_REFUSED
    match looked.said:
        case None:
            return Verdict.WOULD_BE_MALFORMED
        case ToldOfBatch():
            return Verdict.WOULD_BE_ASKED_ABOUT
        case Told():
            about = (looked.said.instruction_id, sender.provider_number)
            here = await instructions_here(session, {about})
            return Verdict.WOULD_BE_APPLIED if here else Verdict.WOULD_BE_UNMATCHED
        case _:
            assert_never(looked.said)


def _about(said: Told | ToldOfBatch | None) -> str:
    match said:
        case None:
            return "nothing"
        case ToldOfBatch():
            return "batch"
        case Told():
            return "payment"
        case _:
            assert_never(said)
