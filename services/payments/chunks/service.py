"""Finding a chunk by the id under which it was announced."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks import repository
from services.payments.statements import AnyRow
from shared.errors import NotFound


async def get_chunk(session: AsyncSession, chunk_id: UUID) -> AnyRow:
    """A chunk as the lists show it, with its number; raises NotFound."""
    chunk = await repository.find_chunk(session, chunk_id)
    if chunk is None:
        raise NotFound("No chunk with this id was announced here. GET /v1/chunks lists them.")
    return chunk
