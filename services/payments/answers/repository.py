"""SQL of what an answer changes beside an instruction's state."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_INQUIRE_NOW = text(
    """
    UPDATE payments.instruction SET next_action_at = clock_timestamp()
    WHERE id = ANY(:ids) AND status IN ('pending', 'unknown')
    """
)


async def inquire_now(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Have the provider asked about these at once."""
    await session.execute(_INQUIRE_NOW, {"ids": list(ids)})
