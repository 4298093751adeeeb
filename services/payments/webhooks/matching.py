"""Taking up again callbacks that could not be applied when they came."""

from services.payments.webhooks.repository import (
    WebhookMove,
    find_blocked,
    find_matched,
    move_webhooks,
)
from services.payments.webhooks.states import WebhookStatus
from shared.database import Database

_BLOCKED_SECONDS = 30.0


class Matching:
    """Takes up what matched nothing and now does, and what could not be worked."""

    def __init__(self, *, database: Database, size: int) -> None:
        self._database = database
        self._size = size

    async def step(self) -> int:
        """Have them applied anew; returns how many callbacks that were."""
        async with self._database.transaction() as session:
            again = await find_matched(session, size=self._size)
            again += await find_blocked(session, seconds=_BLOCKED_SECONDS, size=self._size)
            await move_webhooks(
                session,
                [WebhookMove(webhook_id, WebhookStatus.RECEIVED) for webhook_id in again],
            )
        return len(again)
