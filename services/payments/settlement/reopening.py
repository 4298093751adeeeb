"""A correction opens a closed chunk again, so that the registry is told anew."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.repository import answered_by, lock_chunks, move_chunks
from services.payments.chunks.states import ChunkStatus


async def reopen_chunks(session: AsyncSession, numbers: Sequence[int], *, at: datetime) -> None:
    """Open those of the chunks that are settled, and those that they answer for.

    To be called before the correcting move.
    """
    answered = await answered_by(session, numbers)
    # The lock comes first, in a statement of its own: whoever closes the chunk holds it too, and
    # then sees either our change or a chunk that we have opened.
    await lock_chunks(session, answered)
    await move_chunks(session, answered, ChunkStatus.RAISED, at=at)
