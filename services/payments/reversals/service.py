"""Taking a wrong deposit or prefunding back, by two persons."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.ledger.accounts import AccountCode
from services.payments.ledger.repository import is_overdraft
from services.payments.reversals import repository
from services.payments.reversals.schemas import ReversalIn, ReversalOut
from services.payments.statements import AnyRow
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound


def reversal_step(waits: timedelta) -> Step:
    """Reversals as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.REVERSAL, waits=waits, carry_out=_take_back)


async def propose(
    session: AsyncSession, steps: Steps, given: ReversalIn, *, caller: Caller, clock: Clock
) -> ApprovalOut:
    """Propose to take a deposit or prefunding back; raises NotFound, Conflict.

    Whether the money is still there shows when it is approved: the right deposit may be proposed
    beside it.
    """
    wrong = await _get_standing(session, given.approval_id)
    where = (
        f"as arrived for fund {wrong.fund}"
        if wrong.provider is None
        else f"as paid from the treasury to {wrong.provider}"
    )
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.REVERSAL,
        {"reverses": str(wrong.id)},
        Effect(
            what=f"Take back that {readable(wrong.amount_minor, wrong.currency)} was recorded "
            f"{where}: {wrong.reference}",
            amount_minor=wrong.amount_minor,
            currency=wrong.currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def get(session: AsyncSession, reversal_id: UUID) -> ReversalOut:
    """A reversal with what it took back; raises NotFound."""
    row = await repository.find_reversal(session, reversal_id)
    if row is None:
        raise NotFound("There is no such reversal. GET /v1/reversals lists them.")
    return ReversalOut.model_validate(row._asdict())


async def _take_back(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    wrong = await _get_standing(session, UUID(proposal.document["reverses"]))
    at = clock.now()
    if not await repository.insert_reversal(session, proposal.id, reverses=wrong.id, at=at):
        raise Conflict(_TAKEN_BACK)
    try:
        async with session.begin_nested():
            await repository.post_reversal(
                session,
                proposal.id,
                reverses=wrong.id,
                at=at,
                posted_by=proposal.proposed_by,
                reason=proposal.reason,
            )
    except IntegrityError as error:
        if not is_overdraft(error):
            raise
        raise Conflict(_gone(await repository.find_short(session, wrong.id), wrong)) from None
    return f"/v1/reversals/{proposal.id}"


async def _get_standing(session: AsyncSession, approval_id: UUID) -> AnyRow:
    wrong = await repository.find_brought_in(session, approval_id)
    if wrong is None:
        raise NotFound(
            "No deposit and no prefunding was recorded by this proposal. GET "
            "/v1/funds/{fund_code}/deposits and GET /v1/providers/{provider_code}/prefundings list "
            "what can be taken back."
        )
    if wrong.reversal_id is not None:
        raise Conflict(_TAKEN_BACK)
    return wrong


_TAKEN_BACK = "It was taken back already: GET /v1/reversals shows when and by whom."


def _gone(short: AnyRow | None, wrong: AnyRow) -> str:
    """Why money cannot be taken back, and what to do first."""
    needed = readable(wrong.amount_minor, wrong.currency)
    if short is None:
        return f"Somebody else moved that money just now: {needed} is back. Approve it again."
    held = readable(short.balance_minor, short.currency)
    match AccountCode(short.code):
        case AccountCode.PROVIDER_FLOAT:
            return (
                f"Provider {short.scope} has {held} of our money that is free, and {needed} is to "
                "be taken back: the rest was sent. Record what was really paid to it first, with "
                f"POST /v1/providers/{short.scope}/prefundings, and approve that."
            )
        case AccountCode.TREASURY_CASH:
            return (
                f"The treasury account in {short.scope} holds {held}, and {needed} is to be taken "
                "back: the rest was paid to providers. Take the prefunding back that it was used "
                "for, or record the right deposit first, and approve that."
            )
        case _:
            return (
                f"Fund {short.scope} has {held} that is not promised or spent, and {needed} is to "
                "be taken back. Record what really arrived first, with "
                f"POST /v1/funds/{short.scope}/deposits, and approve that."
            )
