"""Notes when events reach a handler, and when bare notifications arrive, in its own process.

    python -m benchmarks.clients.listen DATABASE_URL

Says ``ready`` once both sides listen, and at the end of its input prints both as JSON: the
machine's monotonic clock in nanoseconds by the id that was sent. The consumer, the worker and
their wake-up are those of the services.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from typing import ClassVar

import uvloop
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import SystemClock
from shared.database import Database
from shared.events import Consumer, Published, StoredEvent
from shared.logging import configure_logging
from shared.worker import Loop, Worker

SCHEMA = "payments"
EVENT = "org.sangkroh.benchmark.v1"
CHANNEL = "benchmark"
CONSUMER = "benchmark"


class Sent(Published):
    """What the other side sends; it tells nothing but that it came."""

    type: ClassVar[str] = EVENT
    source: ClassVar[str] = "/benchmarks"

    @property
    def subject(self) -> str:
        return ""


async def _run(database_url: str) -> dict[str, dict[str, int]]:
    handled: dict[str, int] = {}
    notified: dict[str, int] = {}

    async def handle(session: AsyncSession, event: StoredEvent) -> None:
        handled[event.subject] = time.monotonic_ns()

    database = Database(database_url, application_name=CONSUMER)
    consumer = Consumer(database, name=CONSUMER, schema=SCHEMA, handlers={Sent: handle})
    worker = Worker(
        name=CONSUMER,
        database=database,
        clock=SystemClock(),
        loops=[Loop.reading(consumer)],
    )
    stop = asyncio.Event()
    async with database.connection() as listening:
        await listening.add_listener(
            CHANNEL, lambda _, __, ___, payload: notified.update({payload: time.monotonic_ns()})
        )
        running = asyncio.create_task(worker.run(stop))
        print("ready", flush=True)
        with suppress(EOFError):
            await asyncio.to_thread(sys.stdin.read)
        stop.set()
        await running
    return {"handled": handled, "notified": notified}


def main() -> None:
    # The standard output is for the answer.
    configure_logging(process=CONSUMER, level="CRITICAL")
    print(json.dumps(uvloop.run(_run(sys.argv[1]))))


if __name__ == "__main__":
    main()
