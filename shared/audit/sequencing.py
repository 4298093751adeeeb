"""Chaining the records of a service: one sequencer at a time, behind the fence of the log.

A record is written in the transaction of what it tells of, which may commit after others that
began later. So records are chained in the order (epoch, transaction, id), and only where every
transaction has ended, as the event log is read (docs/decisions/event-order.md). What was chained
without a link missing stays so: a row that appears before the chain's end was inserted by hand.
"""

import time

import structlog

from shared.audit import repository
from shared.audit.chain import Head, digest_of
from shared.audit.repository import Link, Position
from shared.database import Database
from shared.retry import Backoff

log = structlog.get_logger()

RESTS = Backoff(first_seconds=1, longest_seconds=5)
"""How long a sequencer waits where nothing is to be chained."""
_TOLD_EVERY_SECONDS = 600


class Sequencer:
    """Adds what was recorded to the chain, in sets; several processes may run one."""

    def __init__(self, database: Database, *, schema: str, size: int = 500) -> None:
        self._database = database
        self._schema = schema
        self._size = size
        self._told_at = float("-inf")

    async def step(self) -> int:
        """Chain one set; how many records it had."""
        async with self._database.transaction() as session:
            if not await repository.claim(session, self._schema):
                return 0
            link = await repository.last_link(session, self._schema)
            records = await repository.unchained(
                session, self._schema, link.position, limit=self._size
            )
            if not records:
                return 0
            links: list[Link] = []
            for record in records:
                sequence = link.head.sequence + 1
                link = Link(
                    Head(sequence, digest_of(link.head.digest, sequence, record.record)),
                    Position(record.epoch, record.transaction_id, record.id),
                )
                links.append(link)
            await repository.chain(session, self._schema, links)
        self._tell(link.head)
        return len(links)

    def _tell(self, head: Head) -> None:
        """Leave the head in the log now and then: where a log is kept apart from the database, a
        chain that was made anew shows."""
        if time.monotonic() - self._told_at >= _TOLD_EVERY_SECONDS:
            self._told_at = time.monotonic()
            log.info("audit_head", service=self._schema, head=str(head))
