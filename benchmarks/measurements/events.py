"""From the commit of an event to its handler, against a bare LISTEN/NOTIFY."""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

from benchmarks.clients.listen import CHANNEL, EVENT
from benchmarks.figures import Bound, Figure, Reach, percentile
from benchmarks.measurements.measured import Setting
from demo.show import Phase
from shared.clock import SystemClock
from shared.database import Database
from shared.events import Event, append

NAME = "events"
_ROUNDS = 3
_EVENTS = 400
_WARM_UP_EVENTS = 40
_PAUSE_SECONDS = (0.01, 0.04)
_SETTLE_SECONDS = 1.0


def measure(setting: Setting) -> list[Figure]:
    """Events and notifications by turns; when each was sent and when it arrived."""
    rounds = []
    with setting.world.show.phase("events: published, and notified", total=_ROUNDS) as phase:
        for done in range(_ROUNDS):
            rounds.append(_measure_round(setting, phase))
            phase.reach(done + 1)
    differences = [
        percentile(handled, 0.99) - percentile(notified, 0.99) for handled, notified in rounds
    ]
    handled = [seconds for of_round, _ in rounds for seconds in of_round]
    notified = [seconds for _, of_round in rounds for seconds in of_round]
    return [
        setting.figure(
            NAME,
            path="event from commit to the consumer's handler, p99",
            limit="one LISTEN/NOTIFY round trip, p99",
            value=statistics.median(differences),
            unit="ms",
            reach=Reach(bound=Bound.AT_MOST, value=50),
            measured=f"{percentile(handled, 0.99):.1f} ms",
            bare=f"{percentile(notified, 0.99):.1f} ms",
            details=[
                f"""
                {len(handled):,} events, each alone in its transaction, and as many bare
                NOTIFYs, by turns, 10 to 40 ms apart, with the whole system up and at rest.
                The clock runs from the sending of COMMIT (or NOTIFY) in one process to the
                handler (or the listener) in another; the services' own consumers have no handler
                for it, and read past it when they next look.
                """,
                f"""
                Half of the events took {percentile(handled, 0.5):.1f} ms, half of the
                notifications {percentile(notified, 0.5):.1f} ms; the slowest
                {max(handled):.1f} ms and {max(notified):.1f} ms.
                """,
                "p99 beyond the notification's, by round: "
                + ", ".join(f"{difference:.1f} ms" for difference in differences),
            ],
        )
    ]


def _measure_round(setting: Setting, phase: Phase) -> tuple[list[float], list[float]]:
    """Milliseconds of each event and of each notification."""
    url = setting.world.service_url("payments")
    listening = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.clients.listen", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listening.stdout is not None
    assert listening.stdout.readline() == "ready\n"
    time.sleep(_SETTLE_SECONDS)
    committed, sent = asyncio.run(_send_all(url))
    time.sleep(_SETTLE_SECONDS)
    said, _ = listening.communicate()
    arrived: Mapping[str, Any] = json.loads(said)
    return _milliseconds(committed, arrived["handled"]), _milliseconds(sent, arrived["notified"])


def _milliseconds(sent: Mapping[str, int], arrived: Mapping[str, int]) -> list[float]:
    took = [(arrived[event_id] - at) / 1e6 for event_id, at in sent.items()]
    return took[_WARM_UP_EVENTS:]


async def _send_all(url: str) -> tuple[dict[str, int], dict[str, int]]:
    database = Database(url, application_name="benchmark")
    committed: dict[str, int] = {}
    notified: dict[str, int] = {}
    async with database.connection() as connection:
        for _ in range(_EVENTS + _WARM_UP_EVENTS):
            subject = str(uuid.uuid4())
            event = Event(
                type=EVENT,
                source="/benchmarks",
                subject=subject,
                time=SystemClock().now(),
                data={},
            )
            async with database.sessions() as session:
                await append(session, [event])
                committed[subject] = time.monotonic_ns()
                await session.commit()
            await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))
            payload = str(uuid.uuid4())
            notified[payload] = time.monotonic_ns()
            await connection.execute(f"NOTIFY {CHANNEL}, '{payload}'")
            await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))
    await database.dispose()
    return committed, notified
