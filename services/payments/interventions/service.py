"""What officers decide about single payments: try again, resolve, cancel."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions import repository
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import Known
from services.payments.instructions.schemas import InstructionHistoryOut
from services.payments.instructions.service import MISSING, get_history
from services.payments.instructions.states import MOVES, Status
from services.payments.ledger.accounts import ATTEMPT_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.rounds.states import RoundStatus
from services.payments.settlement.reopening import reopen_chunks
from shared.errors import Conflict, NotFound
from shared.ids import new_id

CANCELLED_BY_OFFICER = "cancelled_by_officer"
RETURNED_BY_OFFICER = "returned_by_officer"

_REASONS = {Status.CANCELLED: CANCELLED_BY_OFFICER, Status.RETURNED: RETURNED_BY_OFFICER}
"""By what such payments are counted. The officer's own words stand in the history."""


async def resolve(
    session: AsyncSession,
    instruction_id: UUID,
    outcome: Status,
    *,
    note: str,
    actor: str,
    moves: InstructionMoves,
) -> InstructionHistoryOut:
    """Decide on a held payment, or record that a paid one came back; raises NotFound, Conflict."""
    known = await _lock(session, instruction_id)
    if known.status not in (Status.HELD, Status.SETTLED) or (known.status, outcome) not in MOVES:
        raise Conflict(
            f"It is {known.status}: only a held instruction is resolved as settled or returned, "
            "and a settled one as returned."
        )
    await reopen_chunks(session, [known.chunk_number], at=moves.clock.now())
    return await _move(session, known, outcome, note=note, actor=actor, moves=moves)


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
    return await _move(session, known, Status.CANCELLED, note=note, actor=actor, moves=moves)


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
    paid_in = await repository.round_of(session, instruction_id)
    attempt_id = new_id()
    await reopen_chunks(session, [known.chunk_number], at=at)
    try:
        await repository.insert_attempt(session, instruction_id=attempt_id, of=instruction_id)
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
    return await get_history(session, attempt_id)


async def _lock(session: AsyncSession, instruction_id: UUID) -> Known:
    known = (await repository.lock_known(session, [instruction_id])).get(instruction_id)
    if known is None:
        raise NotFound(MISSING)
    return known


async def _move(
    session: AsyncSession,
    known: Known,
    target: Status,
    *,
    note: str,
    actor: str,
    moves: InstructionMoves,
) -> InstructionHistoryOut:
    decided = Move(known.instruction_id, target, reason=_REASONS.get(target), note=note)
    try:
        await moves.make(session, [decided], actor=actor)
    except IntegrityError as error:
        raise _conflict(error) from None
    return await get_history(session, known.instruction_id)


def _conflict(error: IntegrityError) -> Conflict:
    if is_overdraft(error):
        return Conflict("The fund or the provider's float does not cover that: top it up first.")
    return Conflict(
        "Another instruction for the same entitlement is live or settled: a household is paid an "
        "entitlement once. Resolve this one as returned."
    )
