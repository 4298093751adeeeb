"""What time it is at a provider: the machine's, or that of an exercise on another day."""

import json
import time
from datetime import datetime
from pathlib import Path


class Clock:
    """The machine's clock, until it is told to follow the file by which an exercise is dated.

    The file is JSON: `{"instant": "2020-10-12T02:00:00+00:00", "set_at": <Unix seconds>}`; its
    time flows on from there. It is read again whenever it changes.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._read_of: tuple[int, int] | None = None
        self._ahead_seconds = 0.0

    def follow(self, path: Path | None) -> None:
        """Go by this file from now on; None: by the machine."""
        self._path, self._read_of, self._ahead_seconds = path, None, 0.0

    def seconds(self) -> float:
        """Unix seconds."""
        if self._path is not None:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino)
            if version != self._read_of:
                content = json.loads(self._path.read_text())
                instant = datetime.fromisoformat(content["instant"])
                self._ahead_seconds = instant.timestamp() - float(content["set_at"])
                self._read_of = version
        return time.time() + self._ahead_seconds


CLOCK = Clock()
"""A provider is a process, and has one clock."""


def now() -> int:
    """Unix milliseconds."""
    return int(CLOCK.seconds() * 1_000)
