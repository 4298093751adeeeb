"""Gives pending disbursements their outcome in time, and carries the callbacks."""

import asyncio
import logging

from sandbox import clock, messages
from sandbox.book import Book, Payment
from sandbox.misbehaviour import Temperament
from sandbox.postman import Postman, after_attempt

TICK_SECONDS = 0.02
MOST_TAKEN = 256
MOST_CONNECTIONS = 32
EARLY_TIMEOUT_SECONDS = 1.0

Change = tuple[str, int | None, int, int, int]

logger = logging.getLogger("sandbox")


class Courier:
    """What is due is read from the book, so a restarted sandbox goes on where it was killed."""

    def __init__(self, *, book: Book, temperament: Temperament, postman: Postman) -> None:
        self._book = book
        self._temperament = temperament
        self._postman = postman
        self._connections = asyncio.Semaphore(MOST_CONNECTIONS)
        self._deliveries = asyncio.TaskGroup()
        self._taken: set[int] = set()
        self._changes: list[Change] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then let the callbacks under way end."""
        try:
            # A fault in one delivery ends the group, and with it the process, in plain sight.
            async with self._deliveries:
                while not stop.is_set():
                    self._work()
                    await asyncio.sleep(TICK_SECONDS)
        finally:
            self._record()

    async def deliver_early(self, payment: Payment) -> None:
        """Deliver the callback of a payment that has not been answered yet."""
        await asyncio.wait([self._start(payment)], timeout=EARLY_TIMEOUT_SECONDS)

    def _work(self) -> None:
        self._record()
        now = clock.now()
        self._book.complete_due(now=now)
        # Those taken are still due in the book, and are the first that it returns.
        for payment in self._book.due_callbacks(now=now, limit=MOST_TAKEN):
            if payment.id not in self._taken and len(self._taken) < MOST_TAKEN:
                self._start(payment)

    def _record(self) -> None:
        changes, self._changes = self._changes, []
        if changes:
            with self._book.transaction():
                self._book.record_callbacks(changes)

    def _start(self, payment: Payment) -> asyncio.Task[None]:
        self._taken.add(payment.id)
        return self._deliveries.create_task(self._deliver(payment))

    async def _deliver(self, payment: Payment) -> None:
        try:
            async with self._connections:
                answer = await self._send(payment)
            self._changes.append(_change_after(payment, answer=answer, now=clock.now()))
        finally:
            self._taken.discard(payment.id)

    async def _send(self, payment: Payment) -> str:
        """Send the callback once; return the status of the answer, or why there was none."""
        assert payment.callback_url is not None
        return await self._postman.put(
            payment.callback_url,
            messages.outcome(payment),
            provider=payment.provider,
            correlation_id=payment.correlation_id,
            message_id=self._message_id(payment),
        )

    def _message_id(self, payment: Payment) -> str:
        message_id = f"msg_{messages.transaction_reference(payment)}"
        is_copy = payment.callback_state == "delivered"
        if is_copy and self._temperament.conduct(payment.correlation_id).fresh_ids:
            message_id += f"_{payment.callback_copies}"
        return message_id


def _change_after(payment: Payment, *, answer: str, now: int) -> Change:
    """What the book says after one attempt."""
    delivery = after_attempt(
        state=payment.callback_state,
        attempts=payment.callback_attempts,
        copies=payment.callback_copies,
        answer=answer,
        now=now,
    )
    state, _, attempts, _ = delivery
    if state == "abandoned":
        reference = messages.transaction_reference(payment)
        logger.warning(
            "callback of %s abandoned after %d attempts: %s", reference, attempts, answer
        )
    return (*delivery, payment.id)
