"""Sending what is due: signed, beside one another, and no receiver waits for a slow one."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

import structlog

from services.payments.deliveries import repository
from services.payments.deliveries.repository import Outcome
from services.payments.deliveries.states import DeliveryStatus
from services.payments.dispatch.pipeline import Pipeline
from services.payments.providers.pausing import Pausing
from services.payments.statements import AnyRow
from services.payments.subscriptions.repository import end, lock_active
from services.payments.subscriptions.states import SubscriptionStatus
from shared.clock import Clock
from shared.database import Database
from shared.errors import told
from shared.events.cloud_events import MEDIA_TYPE, CloudEvent
from shared.personal_data import CannotDecrypt, Cipher
from shared.retry import Backoff
from shared.schedule import Schedule
from shared.sending import Sender, Sent
from shared.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

log = structlog.get_logger()

_SET_SIZE = 100
_SET_WAIT_SECONDS = 0.02
_LEASE_BEYOND_TIMEOUT_SECONDS = 60
_LAST_SECONDS = 5
_ROOM_SECONDS = 0.1
_GONE = "The receiver answered 410: it wants no more."


class Delivering:
    """Claims what is due, sends it with no transaction open, and records how that went."""

    def __init__(
        self,
        *,
        database: Database,
        sender: Sender,
        cipher: Cipher,
        clock: Clock,
        schedule: Schedule,
        each: int,
        maximum: int,
        timeout_seconds: float,
        pauses: Backoff,
    ) -> None:
        self._database = database
        self._sender = sender
        self._cipher = cipher
        self._clock = clock
        self._schedule = schedule
        self._each = each
        self._lease_seconds = timeout_seconds + _LEASE_BEYOND_TIMEOUT_SECONDS
        self._pauses = pauses
        self._under_way: Counter[UUID] = Counter()
        self._pausing: dict[UUID, Pausing] = {}
        self._ended = asyncio.Event()
        # Each receiver has places of its own, so that there is one for whatever is claimed.
        self.requests: Pipeline[Outcome] = Pipeline(
            self._record,
            places=each * maximum,
            most=each * maximum,
            set_size=_SET_SIZE,
            wait_seconds=_SET_WAIT_SECONDS,
        )

    async def step(self) -> int:
        """Begin what is due, as far as its receiver has room; returns how much that is."""
        async with self._database.transaction() as session:
            claimed = await repository.claim(
                session, self._rooms(), room=self._each, lease_seconds=self._lease_seconds
            )
        for row in claimed:
            self._under_way[row.subscription_id] += 1
            self.requests.start(partial(self._attempt, row))
        return len(claimed) or await self._one_ended()

    async def close(self) -> None:
        """Let what is under way end; what does not is tried again when its lease is over."""
        await self.requests.close(seconds=_LAST_SECONDS, cancel=False)
        await self._sender.close()

    async def _one_ended(self) -> int:
        """Wait a moment for a request to end, which makes room; 1 where one did, else 0."""
        if not self._under_way:
            return 0
        self._ended.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROOM_SECONDS):
                await self._ended.wait()
        return int(self._ended.is_set())

    def _rooms(self) -> dict[UUID, int]:
        """How many more requests each receiver gets that is busy, or unwell."""
        rooms = {}
        for subscription_id in self._under_way.keys() | self._pausing.keys():
            pausing = self._pausing.get(subscription_id)
            room = 1 if pausing is not None and pausing.probing else self._each
            if pausing is not None and pausing.paused:
                room = 0
            rooms[subscription_id] = max(0, room - self._under_way[subscription_id])
        return rooms

    async def _attempt(self, row: AnyRow) -> Outcome:
        try:
            sent = await self._send(row)
        except Exception as error:
            # It waits its time and is given up as any other: none is tried without end.
            reason = told(error)
            log.error("delivery_not_sent", delivery=str(row.delivery_id), error=reason)
            sent = Sent(None, f"It was not sent, by an error that nobody foresaw: {reason}.")
        finally:
            self._under_way[row.subscription_id] -= 1
            if not self._under_way[row.subscription_id]:
                del self._under_way[row.subscription_id]
            self._ended.set()
        pausing = self._pausing.setdefault(row.subscription_id, Pausing(self._pauses))
        pausing.note_reply(unwell=not sent.is_delivered)
        return self._outcome(row, sent)

    async def _send(self, row: AnyRow) -> Sent:
        body = CloudEvent.of(row).to_json()
        message_id, timestamp = str(row.delivery_id), int(time.time())
        try:
            secrets = [
                self._cipher.decrypt(sealed, bound_to=key_id.bytes).decode()
                for key_id, sealed in zip(row.key_ids, row.keys_sealed, strict=True)
            ]
        except CannotDecrypt as error:
            log.error("delivery_not_signed", subscription=str(row.subscription_id))
            return Sent(None, f"It was not sent: its key does not open. {error}")
        headers = {
            "Content-Type": MEDIA_TYPE,
            ID_HEADER: message_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: " ".join(
                sign(secret, message_id=message_id, timestamp=timestamp, body=body)
                for secret in secrets
            ),
        }
        return await self._sender.send(row.url, headers=headers, body=body)

    def _outcome(self, row: AnyRow, sent: Sent) -> Outcome:
        again_after_seconds = None
        if sent.is_delivered:
            status = DeliveryStatus.DELIVERED
        elif sent.is_gone:
            status = DeliveryStatus.STOPPED
        else:
            again_after_seconds = self._schedule.after(row.attempts)
            status = DeliveryStatus.FAILED
            if again_after_seconds is not None:
                status = DeliveryStatus.WAITING
                again_after_seconds = max(again_after_seconds, sent.again_after_seconds or 0)
        return Outcome(
            number=row.number,
            attempts=row.attempts,
            subscription_id=row.subscription_id,
            status=status,
            answer_status=sent.status,
            detail=sent.detail,
            again_after_seconds=again_after_seconds,
            gone=sent.is_gone,
        )

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        gone = sorted({outcome.subscription_id for outcome in outcomes if outcome.gone})
        async with self._database.transaction() as session:
            for subscription_id in gone:
                # First, as whoever ends it does: nobody waits for another in a circle.
                await lock_active(session, subscription_id)
            await repository.record(session, outcomes)
            for subscription_id in gone:
                await end(
                    session,
                    subscription_id,
                    SubscriptionStatus.DISABLED,
                    because=_GONE,
                    at=self._clock.now(),
                )
        for subscription_id in gone:
            log.warning("subscription_disabled", subscription=str(subscription_id))
