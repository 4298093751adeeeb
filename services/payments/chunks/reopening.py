"""A correction opens a closed chunk again, so that the registry is told anew."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# The lock comes first, in a statement of its own: whoever closes the chunk holds it too, and
# then sees either our change or a chunk that we have opened.
_LOCK = text(
    "SELECT 1 FROM payments.chunk WHERE number = ANY(:numbers) ORDER BY number FOR NO KEY UPDATE"
)
_REOPEN = text(
    """
    UPDATE payments.chunk SET status = 'raised', settled_at = NULL
    WHERE number = ANY(:numbers) AND status = 'settled'
    """
)


async def reopen_chunks(session: AsyncSession, numbers: Sequence[int]) -> None:
    """Open those of the chunks that are settled; to be called before the correcting move."""
    await session.execute(_LOCK, {"numbers": list(numbers)})
    await session.execute(_REOPEN, {"numbers": list(numbers)})
