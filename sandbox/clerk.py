"""Makes batches of what was received, pays those that are approved, and tells of them."""

import asyncio
import logging
from collections.abc import Iterator

from sandbox import batch_messages, clock
from sandbox.batch_book import Batch, BatchBook, BookedLine
from sandbox.batch_faults import BatchFault, BatchNature
from sandbox.batch_validation import Line
from sandbox.book import Book
from sandbox.misbehaviour import AccountState, Temperament
from sandbox.postman import Postman, after_attempt

TICK_SECONDS = 0.02
MOST_TAKEN = 16
DECLINED = "requestDeclined: not today"

# Of what is not known there is nothing to tell yet, and who waits for it is told nothing later.
WITHOUT_CALLBACK = frozenset({BatchFault.CALLBACK_NEVER, BatchFault.NOT_KNOWN_AT_FIRST})

logger = logging.getLogger("sandbox")


class Clerk:
    """What is due is read from the book, so a restarted sandbox goes on where it was killed."""

    def __init__(
        self,
        *,
        book: Book,
        batches: BatchBook,
        temperament: Temperament,
        nature: BatchNature,
        postman: Postman,
    ) -> None:
        self._book = book
        self._batches = batches
        self._temperament = temperament
        self._nature = nature
        self._postman = postman
        self._deliveries = asyncio.TaskGroup()
        self._taken: set[int] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then let the callbacks under way end."""
        # A fault in one delivery ends the group, and with it the process, in plain sight.
        async with self._deliveries:
            while not stop.is_set():
                self._work()
                await asyncio.sleep(TICK_SECONDS)

    def approve(self, batch: Batch, *, approval_id: str | None, now: int) -> None:
        """Pay a batch's lines, within a transaction of the book."""
        lines = self._booked(batch, self._batches.lines(batch), now=now)
        self._batches.approve(batch, lines, approval_id=approval_id, now=now)

    def _work(self) -> None:
        now = clock.now()
        with self._book.transaction():
            for batch in self._batches.received(now=now, limit=MOST_TAKEN):
                if batch.approved_when_created:
                    self.approve(batch, approval_id=None, now=now)
                else:
                    self._batches.create(batch)
                    self._tell(batch, now=now)
            for batch in self._batches.finished(limit=MOST_TAKEN):
                self._batches.complete(batch, now=now)
                self._tell(batch, now=now)
        for batch in self._batches.due_callbacks(now=now, limit=MOST_TAKEN):
            if batch.id not in self._taken:
                self._taken.add(batch.id)
                self._deliveries.create_task(self._deliver(batch))

    def _tell(self, batch: Batch, *, now: int) -> None:
        """Have the client told of what became of a batch, unless it is one that keeps silent."""
        if batch.callback_url is None:
            return
        late = batch.fault == BatchFault.CALLBACK_LATE and batch.approved_at is not None
        self._batches.call_back(
            batch,
            state="withheld" if batch.fault in WITHOUT_CALLBACK else "waiting",
            copies=1 if batch.fault == BatchFault.CALLBACK_TWICE else 0,
            at=now + round(self._nature.seconds * 1_000) if late else now,
        )

    async def _deliver(self, batch: Batch) -> None:
        try:
            assert batch.callback_url is not None
            answer = await self._postman.put(
                batch.callback_url,
                batch_messages.batch_transaction(batch, self._batches.counts(batch)),
                provider=batch.provider,
                correlation_id=batch.correlation_id,
                message_id=_message_id(batch),
            )
            change = after_attempt(
                state=batch.callback_state,
                attempts=batch.callback_attempts,
                copies=batch.callback_copies,
                answer=answer,
                now=clock.now(),
            )
            if change[0] == "abandoned":
                name = batch_messages.batch_id(batch)
                logger.warning("callback of %s abandoned: %s", name, answer)
            with self._book.transaction():
                self._batches.record_callback(batch, change)
        finally:
            self._taken.discard(batch.id)

    def _booked(self, batch: Batch, lines: list[Line], *, now: int) -> Iterator[BookedLine]:
        for line in lines:
            rejection = line.fault
            name = line.requesting_reference or line.account
            if batch.fault == BatchFault.PARTLY_REJECTED and self._nature.declines(name):
                rejection = DECLINED
            if rejection is None:
                state = self._temperament.account(line.account).state
                rejection = None if state is AccountState.OPEN else state.value
            conduct = self._temperament.conduct(name)
            yield BookedLine(line, rejection, completes_at=now + conduct.completion_delay_ms)


def _message_id(batch: Batch) -> str:
    message_id = f"msg_{batch_messages.batch_id(batch)}_{batch.status}"
    return f"{message_id}_copy" if batch.callback_state == "delivered" else message_id
