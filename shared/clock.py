"""The domain clock: when things happen in the programme, as opposed to on the machine.

Domain code takes its time from the clock that it was given, so that months can pass in minutes.
Leases, timeouts, token expiry and webhook tolerance are technical time: they use the database's
``clock_timestamp()`` or the machine's clock, and never this one.

    python -m shared.clock 2020-11-12      moves the clock of a local deployment on
"""

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

COUNTRY_ZONE = ZoneInfo("Asia/Phnom_Penh")
CLOCK_FILE = Path(".local/clock.json")
"""Where `make run` keeps the clock that it was given."""

_OPENING_HOUR = 8


class Clock(Protocol):
    """Tells the domain's time."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def today(self) -> date:
        """The calendar day in the country's zone."""
        ...


class SystemClock:
    """The domain's time is the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(COUNTRY_ZONE).date()


class FileClock:
    """The domain's time is what a file says, flowing on since it was written.

    The file is JSON: ``{"instant": "2020-10-12T02:00:00+00:00", "set_at": <Unix seconds>}``.
    It is read again whenever it changes, so one file sets the clock of every process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_of: tuple[int, int] | None = None
        self._instant = datetime.now(UTC)
        self._set_at = time.time()

    def now(self) -> datetime:
        status = self._path.stat()
        version = (status.st_mtime_ns, status.st_ino)
        if version != self._read_of:
            content = json.loads(self._path.read_text())
            self._instant = datetime.fromisoformat(content["instant"])
            self._set_at = float(content["set_at"])
            self._read_of = version
        return self._instant + timedelta(seconds=time.time() - self._set_at)

    def today(self) -> date:
        return self.now().astimezone(COUNTRY_ZONE).date()


def set_clock(path: Path, instant: datetime) -> None:
    """Set every ``FileClock`` on ``path`` to ``instant`` (aware); it flows on from there."""
    if instant.tzinfo is None:
        raise ValueError("The clock takes an aware instant: give the datetime a time zone.")
    content = json.dumps({"instant": instant.astimezone(UTC).isoformat(), "set_at": time.time()})
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def instant_from(text: str) -> datetime:
    """``2020-10-12``, in the morning of the country's zone, or an instant with a UTC offset.

    Raises ValueError, which says what is wanted.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is not None and len(text) == len("2020-10-12"):
        return instant.replace(hour=_OPENING_HOUR, tzinfo=COUNTRY_ZONE)
    if instant is None or instant.tzinfo is None:
        raise ValueError(
            f"{text!r} is no time for a clock: give a day such as 2020-10-12, or an instant such "
            "as 2020-10-12T15:30:00+07:00."
        )
    return instant


def told(clock: Clock) -> str:
    """What a clock says, for a person to read."""
    return f"{clock.now().astimezone(COUNTRY_ZONE):%Y-%m-%d %H:%M} ({COUNTRY_ZONE.key})"


def clock_from(clock_file: Path | None) -> Clock:
    """The file's clock where a file is configured, else the machine's."""
    return FileClock(clock_file) if clock_file else SystemClock()


async def get_clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


ClockDependency = Annotated[Clock, Depends(get_clock)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m shared.clock",
        description="Say what the clock of a local deployment says, or move it on.",
    )
    parser.add_argument("time", nargs="?", help="2020-11-12, or 2020-11-12T15:30:00+07:00")
    parser.add_argument("--file", type=Path, default=CLOCK_FILE, help="CLOCK_FILE (%(default)s)")
    arguments = parser.parse_args()
    clock = FileClock(arguments.file)
    try:
        if arguments.time:
            _move(arguments.file, clock, instant_from(arguments.time))
        print(told(clock))
    except FileNotFoundError:
        sys.exit(
            f"{arguments.file} is not there: the services run on the machine's clock. Start them "
            "with `make run CLOCK=2020-10-12`, or with CLOCK_FILE."
        )
    except ValueError as error:
        sys.exit(str(error))


def _move(file: Path, clock: FileClock, instant: datetime) -> None:
    if instant < clock.now():
        raise ValueError(
            f"The clock says {told(clock)} already: it only goes on, for what happened cannot "
            "come to lie in the future."
        )
    set_clock(file, instant)


if __name__ == "__main__":
    main()
