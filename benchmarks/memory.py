"""The most memory that each process held.

A service's process tells its own peak (VmHWM). A backend of PostgreSQL does not: its resident
memory counts the shared buffers that it touched, which belong to all of them. So its private
memory (RssAnon) is looked at four times a second, and the largest backend counts.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

_LOOK_SECONDS = 0.25
_KIBIBYTES = 1_024
POSTGRES = "postgres"


def _field(process_id: int, name: str) -> int:
    """A field of /proc/PID/status in bytes; 0 where the process or the field is gone."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in status.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * _KIBIBYTES
    return 0


@dataclass
class Peaks:
    """Bytes by process name; PostgreSQL as its largest backend, and as the sum of all."""

    processes: dict[str, int] = field(default_factory=dict)
    largest_backend: int = 0
    backends_together: int = 0


class MemoryWatch:
    """Looks at the processes that ``process_ids`` tells, for as long as the context."""

    def __init__(self, process_ids: Callable[[], Mapping[str, int]]) -> None:
        self.peaks = Peaks()
        self._process_ids = process_ids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Note what is higher than before."""
        peaks = self.peaks
        for name, process_id in self._process_ids().items():
            if name == POSTGRES:
                private = [_field(member, "RssAnon") for member in _family(process_id)]
                peaks.largest_backend = max(peaks.largest_backend, *private)
                peaks.backends_together = max(peaks.backends_together, sum(private))
            else:
                own, *beside = [_field(member, "VmHWM") for member in _family(process_id)]
                self._note(name, own)
                if beside:
                    self._note(f"{name}, a process beside it", max(beside))

    def _note(self, name: str, held: int) -> None:
        self.peaks.processes[name] = max(self.peaks.processes.get(name, 0), held)


def _family(process_id: int) -> list[int]:
    """A process and its children, as the kernel lists them: to look through all processes for them
    took a tenth of a processor from what is measured."""
    children: list[int] = []
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            children += map(int, task.read_text().split())
    return [process_id, *children]
