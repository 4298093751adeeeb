"""What chunks hear from the registry."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.announcing import announce_again
from services.payments.chunks.repository import keep_announced, lock_known
from services.payments.rounds.repository import begin_round
from shared.contracts.events import EntitlementsReady
from shared.events import Handler, Published, StoredEvent


async def on_entitlements_ready(
    session: AsyncSession, event: StoredEvent, *, ask_first_seconds: float
) -> None:
    """A chunk can be fetched; one that is known was announced again."""
    ready = EntitlementsReady.of(event)
    known = await lock_known(session, ready.chunk_id)
    if known is None:
        round_number = await begin_round(session, ready, at=event.time)
        await keep_announced(
            session,
            ready,
            event,
            round_number=round_number,
            ask_first_seconds=ask_first_seconds,
        )
    else:
        await announce_again(session, known, ready, at=event.time)


def handlers(*, ask_first_seconds: float) -> dict[type[Published], Handler]:
    """Which events this slice hears."""
    return {EntitlementsReady: partial(on_entitlements_ready, ask_first_seconds=ask_first_seconds)}
