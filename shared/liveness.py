"""Whether a process's background work goes on: a heartbeat in a file, for whoever restarts it.

A worker listens on no port. It writes the instant of each heartbeat to a file, and leaves that out
while one of its loops hangs; where its event loop is blocked, nothing is written either. What keeps
the file young is not that there is work, nor that it succeeds: a loop that rests is well, and so is
one whose step fails and is tried again, as every step does while PostgreSQL is away.

Nothing here imports anything that is slow to load: the file is asked for every half a minute.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

LATE_AFTER_SECONDS = 60
"""How old the last heartbeat of a process may be that is alive."""


class Pulse:
    """How long the present step of a loop has been silent."""

    def __init__(self) -> None:
        self._heard_at: float | None = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """Around each step of the loop."""
        self._heard_at = time.monotonic()
        token = _PULSE.set(self)
        try:
            yield
        finally:
            _PULSE.reset(token)
            self._heard_at = None

    def goes_on(self) -> None:
        if self._heard_at is not None:
            self._heard_at = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """Since the step began or last went on; 0 between two steps."""
        return 0.0 if self._heard_at is None else time.monotonic() - self._heard_at


_PULSE: ContextVar[Pulse | None] = ContextVar("pulse", default=None)


def goes_on() -> None:
    """Say from within a step of many parts that a part is done; outside a step, nothing."""
    if pulse := _PULSE.get():
        pulse.goes_on()


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """Where a process's heartbeats go, how often, and how long a step may be silent.

    The bound is longer than whatever a step waits for: a provider, a lock, the slowest statement.
    """

    file: Path
    every_seconds: float = 5
    silent_at_most_seconds: float = 180

    def beat(self, pulses: Mapping[str, Pulse]) -> list[str]:
        """Keep that the process is alive now, unless loops hang: these by name."""
        hanging = [
            name
            for name, pulse in pulses.items()
            if pulse.silent_seconds > self.silent_at_most_seconds
        ]
        if not hanging:
            begun = self.file.with_name(self.file.name + ".new")
            # By the clock that nobody sets, and that all processes of a machine have in common.
            begun.write_text(str(time.monotonic()))
            begun.replace(self.file)
        return hanging


def heartbeat_file(directory: Path, process: str) -> Path:
    """The file of a process's heartbeats."""
    return directory / f"{process}.heartbeat"


def last_heard_seconds(file: Path) -> float | None:
    """The age of the last heartbeat; None where there is none, or it is from before a reboot."""
    try:
        age = time.monotonic() - float(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return age if age >= 0 else None
