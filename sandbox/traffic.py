"""The calls of clients as they arrived: how many, when, how many at once, in memory alone."""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

MOST_ARRIVALS = 200_000
"""The oldest are forgotten beyond that."""
COLUMNS = "provider,arrived_ms,at_once,resting\n"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call of a client."""

    provider: str
    arrived_ms: int
    """By a clock that only goes forward, from the sandbox's start on."""
    at_once: int
    """Calls of the provider's client under way, with this one."""
    resting: bool
    """It came while the provider had asked to be left alone."""


class Traffic:
    """Notes every call, and makes each take its time.

    After ``rest_after`` calls a provider asks once to be left alone: whatever comes within
    ``rest_seconds`` is answered 429 with ``Retry-After``. 0: it never does.
    """

    def __init__(self, *, answer_delay_ms: int, rest_after: int, rest_seconds: float) -> None:
        self._answer_delay_seconds = answer_delay_ms / 1_000
        self._rest_after = rest_after
        self._rest_seconds = rest_seconds
        self._arrivals: deque[Arrival] = deque(maxlen=MOST_ARRIVALS)
        self._counts: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._rests_until: dict[str, float] = {}
        self._began = time.monotonic()

    @asynccontextmanager
    async def call(self, provider: str) -> AsyncIterator[int | None]:
        """Note a call for as long as it is under way: for how many whole seconds the provider asks
        to be left alone, or None."""
        now = time.monotonic()
        self._counts[provider] += 1
        self._under_way[provider] += 1
        if self._counts[provider] == self._rest_after:
            self._rests_until[provider] = now + self._rest_seconds
        left_seconds = self._rests_until.get(provider, now) - now
        self._arrivals.append(
            Arrival(
                provider=provider,
                arrived_ms=round((now - self._began) * 1_000),
                at_once=self._under_way[provider],
                resting=left_seconds > 0,
            )
        )
        try:
            if self._answer_delay_seconds:
                await asyncio.sleep(self._answer_delay_seconds)
            yield math.ceil(left_seconds) if left_seconds > 0 else None
        finally:
            self._under_way[provider] -= 1

    def as_csv(self) -> Iterator[bytes]:
        """Every arrival that is remembered, the oldest first, below a header line."""
        yield COLUMNS.encode()
        for each in tuple(self._arrivals):
            yield (
                f"{each.provider},{each.arrived_ms},{each.at_once},{int(each.resting)}\n".encode()
            )
