"""What officers do about single payments: try again, propose how it ended, cancel."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.answers.repository import says_paid
from services.payments.instructions import repository
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import Known
from services.payments.instructions.schemas import InstructionHistoryOut
from services.payments.instructions.service import MISSING, get_history
from services.payments.instructions.states import Status
from services.payments.interventions.schemas import InstructionProposalOut, ResolutionIn
from services.payments.ledger.accounts import ATTEMPT_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.resolutions import service as resolutions
from services.payments.resolutions.schemas import ResolutionsIn
from services.payments.rounds.states import RoundStatus
from services.payments.settlement.reopening import reopen_chunks
from shared import audit
from shared.approvals import Steps
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound

CANCELLED_BY_OFFICER = "cancelled_by_officer"
"""By what such payments are counted. The officer's own words stand in the history."""


async def propose_resolution(
    session: AsyncSession,
    steps: Steps,
    instruction_id: UUID,
    body: ResolutionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> InstructionProposalOut:
    """Propose how a payment ended, for another person to approve; raises NotFound, Conflict."""
    proposed = await resolutions.propose(
        session,
        steps,
        ResolutionsIn(
            outcome=body.outcome,
            reason=body.reason,
            instruction_ids=[instruction_id],
            paid_minor=body.paid_minor,
        ),
        caller=caller,
        clock=clock,
    )
    history = await get_history(session, instruction_id)
    return InstructionProposalOut(**dict(history), resolution=proposed)


async def cancel(
    session: AsyncSession, instruction_id: UUID, *, note: str, actor: str, moves: InstructionMoves
) -> InstructionHistoryOut:
    """Do not send an instruction that is ready; raises NotFound, Conflict."""
    known = await _lock(session, instruction_id)
    if known.status is not Status.READY:
        raise Conflict(f"It is {known.status}: only a ready instruction can be cancelled.")
    paid_in = await repository.round_of(session, instruction_id)
    if paid_in.status is not RoundStatus.RELEASED:
        raise Conflict(
            f"Its round is {paid_in.status}, so nothing is reserved for it yet and it is not sent. "
            "Cancel it once the round is released."
        )
    decided = Move(instruction_id, Status.CANCELLED, reason=CANCELLED_BY_OFFICER, note=note)
    await moves.make(session, [decided], actor=actor)
    await audit.record(
        session, before={"status": known.status}, after={"status": Status.CANCELLED}, reason=note
    )
    return await get_history(session, instruction_id)


async def attempt_again(
    session: AsyncSession, instruction_id: UUID, *, reason: str, at: datetime
) -> InstructionHistoryOut:
    """A new instruction after a definite rejection, into the same account.

    Raises NotFound, and Conflict where it is not rejected, has a later attempt already, or the
    fund does not cover it.
    """
    known = await _lock(session, instruction_id)
    if known.status is not Status.REJECTED:
        raise Conflict(f"It is {known.status}: only a rejected instruction is tried again.")
    if await repository.has_later_attempt(session, instruction_id):
        raise Conflict("It was tried again already: GET /v1/instructions?entitlement_id= shows it.")
    if await says_paid(session, instruction_id):
        raise Conflict(
            "The provider says that an earlier attempt was paid, and that waits to be recorded: "
            "GET /v1/alarms says what for. Try again once it is."
        )
    paid_in = await repository.round_of(session, instruction_id)
    await reopen_chunks(session, [known.chunk_number], at=at)
    try:
        attempt_id = await repository.insert_attempt(session, of=instruction_id)
        await post(
            session,
            ATTEMPT_RESERVED,
            debit_scope=paid_in.fund,
            credit_scope=paid_in.fund,
            amount_minor=known.amount_minor,
            currency=paid_in.currency,
            posted_at=at,
            reason=reason,
            payment_instruction_id=attempt_id,
        )
    except IntegrityError as error:
        raise _conflict(error) from None
    await audit.record(session, f"instructions/{attempt_id}", after={"attempt": attempt_id})
    return await get_history(session, attempt_id)


async def _lock(session: AsyncSession, instruction_id: UUID) -> Known:
    known = (await repository.lock_known(session, [instruction_id])).get(instruction_id)
    if known is None:
        raise NotFound(MISSING)
    return known


def _conflict(error: IntegrityError) -> Conflict:
    if is_overdraft(error):
        return Conflict("The fund or the provider's float does not cover that: top it up first.")
    return Conflict(
        "Another instruction for the same entitlement is live or settled: a household is paid an "
        "entitlement once."
    )
