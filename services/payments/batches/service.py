"""A batch with everything that happened to it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.batches import repository
from services.payments.batches.schemas import BatchHistoryOut, BatchMoveOut
from services.payments.statements import AnyRow
from shared.errors import NotFound


async def get_batch(session: AsyncSession, batch_id: UUID) -> AnyRow:
    """A batch as the lists show it, with its number; raises NotFound."""
    row = await repository.find_batch(session, batch_id)
    if row is None:
        raise NotFound("There is no such batch. GET /v1/batches lists them.")
    return row


async def get_history(session: AsyncSession, batch_id: UUID) -> BatchHistoryOut:
    """A batch with its moves; raises NotFound."""
    row = await get_batch(session, batch_id)
    return BatchHistoryOut(
        **row._asdict(),
        moves=[
            BatchMoveOut.model_validate(move._asdict())
            for move in await repository.moves_of(session, row.number)
        ],
    )
