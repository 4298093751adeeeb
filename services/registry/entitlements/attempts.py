"""Work on a chunk that failed: noted where people see it, and tried again later."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LONGEST_WAIT_SECONDS = 60

_PUT_OFF = text(
    "UPDATE registry.entitlement_chunk SET attempts = least(attempts + 1, 1000), "
    "last_error = :error, attempt_after = clock_timestamp() + "
    "least(:longest, 0.5 * 2 ^ least(attempts, 10)) * interval '1 second' WHERE id = :id"
)


async def put_off(session: AsyncSession, chunk_id: UUID, *, error: str) -> None:
    """Note an attempt that failed: the next one waits twice as long, up to a minute."""
    await session.execute(
        _PUT_OFF, {"id": chunk_id, "error": error, "longest": _LONGEST_WAIT_SECONDS}
    )
