"""Trying again: how long to wait after so many failures, the same in Python and in SQL."""

import random
from collections.abc import Callable
from dataclasses import dataclass

_MOST_DOUBLINGS = 20


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Waits that double from ``first_seconds`` up to ``longest_seconds``."""

    first_seconds: float
    longest_seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.first_seconds <= self.longest_seconds:
            raise ValueError("A wait is longer than nothing, and the first is not the longest.")

    def seconds(self, failures: int) -> float:
        """The wait after ``failures`` earlier ones: ``first_seconds`` where there was none."""
        return float(
            min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures, _MOST_DOUBLINGS))
        )

    def sql(self, failures: str) -> str:
        """The same in seconds (double precision), over an SQL expression that counts failures."""
        return (
            f"least({self.longest_seconds!r}::float8, "
            f"{self.first_seconds!r}::float8 * 2 ^ least({failures}, {_MOST_DOUBLINGS}))"
        )


class Spread:
    """Waits that grow from ``first_seconds`` up to ``longest_seconds``, each drawn at random
    between the first and three times the one before: who failed at the same moment does not come
    back at the same moment.

    ``draw`` gives numbers from 0 to 1. Source: "decorrelated jitter" of Marc Brooker, Exponential
    Backoff and Jitter (2015).
    """

    def __init__(self, waits: Backoff, *, draw: Callable[[], float] = random.random) -> None:
        self._waits = waits
        self._draw = draw
        self._last_seconds = waits.first_seconds

    def next_seconds(self) -> float:
        """How long to wait after one more failure."""
        first = self._waits.first_seconds
        longest = max(first, 3 * self._last_seconds)
        drawn = first + self._draw() * (longest - first)
        self._last_seconds = min(self._waits.longest_seconds, drawn)
        return self._last_seconds

    def begin_anew(self) -> None:
        """It worked: the next failure is the first."""
        self._last_seconds = self._waits.first_seconds
