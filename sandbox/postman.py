"""Puts one callback where a client wants it, signed by Standard Webhooks 1.0."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from sandbox import messages
from sandbox.http_put import HttpPut, NoAnswer
from sandbox.options import Provider

TIMEOUT_SECONDS = 5.0
COPY_DELAY_MS = 150
RETRY_DELAYS_MS = (200, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000)
"""Pauses after failed attempts; when they are used up, the callback is abandoned."""

Delivery = tuple[str, int | None, int, int]
"""A callback's state, when to try next, attempts so far, and copies still to be sent."""


class Postman:
    """Sends each callback once, and says what was answered."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._signers = {provider.code: Webhook(provider.webhook_secret) for provider in providers}
        self._http = HttpPut(timeout_seconds=TIMEOUT_SECONDS)

    def close(self) -> None:
        self._http.close()

    async def put(
        self, url: str, body: bytes, *, provider: str, correlation_id: str, message_id: str
    ) -> str:
        """The status of the answer, or why there was none."""
        sent_at = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "x-date": messages.instant(time.time_ns() // 1_000_000),
            "x-correlationid": correlation_id,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": self._signers[provider].sign(
                msg_id=message_id, timestamp=sent_at, data=body.decode()
            ),
        }
        try:
            return str(await self._http.put(url, headers=headers, body=body))
        except NoAnswer as error:
            return f"no answer ({error})"


def after_attempt(*, state: str, attempts: int, copies: int, answer: str, now: int) -> Delivery:
    """How a callback stands after one more attempt: only 204 means that it arrived."""
    attempts += 1
    if state == "delivered":
        copies -= 1
    elif answer == "204":
        state = "delivered"
    elif attempts <= len(RETRY_DELAYS_MS):
        return (state, now + RETRY_DELAYS_MS[attempts - 1], attempts, copies)
    else:
        return ("abandoned", None, attempts, 0)
    return (state, now + COPY_DELAY_MS if copies else None, attempts, copies)
