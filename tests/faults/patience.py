"""How long the harness waits: in seconds of a machine that has nothing else to do.

A machine that others keep busy is slower, and what takes longer on it is no fault. So patience runs
out more slowly there: by as much as more work waits for a processor than there are processors.
"""

import os
import time
from collections.abc import Callable

_LONGEST_FACTOR = 10.0
"""However busy the machine is, a thing that takes ten times as long as it may has failed."""
_LOOK_SECONDS = 0.1


class Patience:
    """``seconds`` of waiting, stretched by the load that each look finds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._left = seconds
        self._looked_at = time.monotonic()

    @property
    def is_over(self) -> bool:
        now = time.monotonic()
        self._left -= (now - self._looked_at) / busyness()
        self._looked_at = now
        return self._left <= 0


def wait_until(holds: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until it holds; whether it came to that in time."""
    patience = Patience(seconds)
    while not patience.is_over:
        if holds():
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def busyness() -> float:
    """How many times as much work as processors there was in the last minute; 1 at least."""
    return min(_LONGEST_FACTOR, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
