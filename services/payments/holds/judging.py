"""Looking at a round by its scheme's rules, in the transaction that releases it."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.holds.repository import lock_limits, withhold

log = structlog.get_logger()


async def hold_by_rules(
    session: AsyncSession, round_number: int, *, scheme: str, activation_id: UUID, at: datetime
) -> None:
    """Hold what the rules hold, before anything of the round can be claimed.

    To be called once the round is released in the session, before that is committed.
    """
    limits = await lock_limits(session, scheme)
    if limits is None:
        return
    held = await withhold(
        session, round_number, limits, scheme=scheme, activation_id=activation_id, at=at
    )
    if held:
        log.warning("payments_held_by_rule", round=round_number, count=held)
