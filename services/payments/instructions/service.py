"""What officers do with instructions: read, try again, decide, cancel."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.reopening import reopen_chunks
from services.payments.instructions import repository
from services.payments.instructions.decisions import Known
from services.payments.instructions.moves import Move, Waits, move
from services.payments.instructions.recording import lock_known
from services.payments.instructions.schemas import InstructionHistory
from services.payments.instructions.states import MOVES, Status
from services.payments.ledger.accounts import ATTEMPT_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.rounds.tables import RoundStatus
from shared.errors import Conflict, NotFound
from shared.ids import new_id

_MISSING = "There is no such instruction. GET /instructions lists them."
_NO_WAITS = Waits(lease_seconds=0, unknown_seconds=0, pending_seconds=0, longest_seconds=0)
"""An officer's moves lead to states in which nothing is waited for."""


async def get_history(session: AsyncSession, instruction_id: UUID) -> InstructionHistory:
    """An instruction with its moves and transfers; raises NotFound."""
    history = await repository.find_history(session, instruction_id)
    if history is None:
        raise NotFound(_MISSING)
    return history


async def resolve(
    session: AsyncSession,
    instruction_id: UUID,
    outcome: Status,
    *,
    reason: str,
    actor: str,
    at: datetime,
) -> InstructionHistory:
    """Decide on a held payment, or record that a paid one came back; raises NotFound, Conflict."""
    known = await _lock(session, instruction_id)
    if known.status not in (Status.HELD, Status.SETTLED) or (known.status, outcome) not in MOVES:
        raise Conflict(
            f"It is {known.status}: only a held instruction is resolved as settled or returned, "
            "and a settled one as returned."
        )
    await reopen_chunks(session, [known.chunk_number])
    return await _move(session, known, outcome, reason=reason, actor=actor, at=at)


async def cancel(
    session: AsyncSession, instruction_id: UUID, *, reason: str, actor: str, at: datetime
) -> InstructionHistory:
    """Do not send an instruction that is ready; raises NotFound, Conflict."""
    known = await _lock(session, instruction_id)
    if known.status is not Status.READY:
        raise Conflict(f"It is {known.status}: only a ready instruction can be cancelled.")
    round_status, _, _ = await repository.round_of(session, instruction_id)
    if round_status != RoundStatus.RELEASED:
        raise Conflict(
            f"Its round is {round_status}, so nothing is reserved for it yet and it is not sent. "
            "Cancel it once the round is released."
        )
    return await _move(session, known, Status.CANCELLED, reason=reason, actor=actor, at=at)


async def attempt_again(
    session: AsyncSession, instruction_id: UUID, *, reason: str, at: datetime
) -> InstructionHistory:
    """A new instruction after a definite rejection, into the same account.

    Raises NotFound, and Conflict where it is not rejected, has a later attempt already, or the
    fund does not cover it.
    """
    known = await _lock(session, instruction_id)
    if known.status is not Status.REJECTED:
        raise Conflict(f"It is {known.status}: only a rejected instruction is tried again.")
    if await repository.has_later_attempt(session, instruction_id):
        raise Conflict("It was tried again already: GET /instructions?entitlement_id= shows it.")
    _, fund, currency = await repository.round_of(session, instruction_id)
    attempt_id = new_id()
    await reopen_chunks(session, [known.chunk_number])
    try:
        await repository.insert_attempt(session, instruction_id=attempt_id, of=instruction_id)
        await post(
            session,
            ATTEMPT_RESERVED,
            debit_scope=fund,
            credit_scope=fund,
            amount_minor=known.amount_minor,
            currency=currency,
            posted_at=at,
            reason=reason,
            payment_instruction_id=attempt_id,
        )
    except IntegrityError as error:
        raise _conflict(error) from None
    return await get_history(session, attempt_id)


async def _lock(session: AsyncSession, instruction_id: UUID) -> Known:
    known = (await lock_known(session, [instruction_id])).get(instruction_id)
    if known is None:
        raise NotFound(_MISSING)
    return known


async def _move(
    session: AsyncSession, known: Known, target: Status, *, reason: str, actor: str, at: datetime
) -> InstructionHistory:
    try:
        await move(
            session,
            [Move(known.instruction_id, target, reason=reason)],
            actor=actor,
            at=at,
            waits=_NO_WAITS,
        )
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
