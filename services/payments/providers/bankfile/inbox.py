"""What comes in: reports are kept by the file that they are about, and what is none is set aside.

A report is copied to where nobody changes it, under the next number among those about the same
file. It leaves the incoming directory once what it brought is recorded: whoever dies in between
reads it again, and it brings the same.
"""

import hashlib
import os
import shutil
import stat
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson

from services.payments.providers.bankfile.folders import Put, is_temporary, put
from services.payments.providers.bankfile.initiation import read_reference
from services.payments.providers.bankfile.outbox import Outbox
from services.payments.providers.bankfile.outcomes import Outcome, foreign_lines
from services.payments.providers.bankfile.reports import (
    MAXIMUM_BYTES,
    Report,
    Unreadable,
    read_report,
)
from services.payments.providers.batches import BatchName
from services.payments.providers.files import FileFault, FileFaultKind, FileNews
from services.payments.settings import BankFileSettings

_KEPT_OUTCOMES = 32
"""Of so many files what became of them is kept in memory; of others it is read again."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A file in the incoming directory, as it was when it was looked at."""

    name: str
    inode: int
    size: int
    changed_at: float
    is_file: bool

    @classmethod
    def of(cls, path: Path) -> "_Found":
        """The file of that path as it is now; raises OSError."""
        found = path.lstat()
        return cls(
            path.name, found.st_ino, found.st_size, found.st_mtime, stat.S_ISREG(found.st_mode)
        )


class Inbox:
    """Reads what one bank writes. Every call may raise OSError."""

    def __init__(self, bank: BankFileSettings, outbox: Outbox) -> None:
        self._incoming = bank.incoming_directory
        self._taken = bank.state_directory / "taken"
        self._aside = bank.state_directory / "aside"
        self._settling_seconds = bank.settling_seconds
        self._outbox = outbox
        self._told: dict[str, _Found] = {}
        self._half_written: set[_Found] = set()
        self._ended: set[_Found] = set()
        """What they brought is recorded, and they could not be taken away."""
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def take(self, *, limit: int) -> list[FileNews]:
        """What the files bring that are there, ``limit`` of them at most."""
        present = self._present()
        self._half_written &= set(present)
        self._ended &= set(present)
        taken: list[FileNews] = []
        for found in present:
            if len(taken) == limit:
                break
            news = self._news(found) if self._is_due(found) else None
            if news is not None:
                self._told[news.key] = found
                taken.append(news)
        return taken

    def end(self, news: FileNews) -> None:
        """Have a file leave the incoming directory: kept already, or set aside with its reason."""
        found = self._told.pop(news.key)
        path = self._incoming / found.name
        if not os.path.lexists(path) or _Found.of(path) != found:
            # Somebody wrote on: what it says now is another file.
            return
        self._ended.add(found)
        if news.fault is not None and news.fault.kind is FileFaultKind.SET_ASIDE:
            self._set_aside(path, news.fault)
        else:
            path.unlink(missing_ok=True)

    def outcome_of(self, message_id: str) -> Outcome | None:
        """What became of a file of ours, or None: nothing came in about it."""
        lines = self._outbox.lines_of(message_id)
        if lines is None:
            return None
        known = self._outcomes.pop(message_id, None) or Outcome(lines, message_id=message_id)
        while (path := self._report_path(message_id, known.reports + 1)).exists():
            report = read_report(path.read_bytes())
            if not isinstance(report, Report):
                raise OSError(f"{path.name} of {message_id} was a report and is none any more")
            known.add(report)
        self._outcomes[message_id] = known
        if len(self._outcomes) > _KEPT_OUTCOMES:
            self._outcomes.popitem(last=False)
        return known if known.reports else None

    def _present(self) -> list[_Found]:
        """The files that are not being written, by their names."""
        present = []
        for path in sorted(self._incoming.iterdir()):
            with suppress(FileNotFoundError):
                if not is_temporary(path.name):
                    present.append(_Found.of(path))
        return present

    def _is_due(self, found: _Found) -> bool:
        if found in self._ended:
            return False
        return found not in self._half_written or self._is_settled(found)

    def _is_settled(self, found: _Found) -> bool:
        return abs(time.time() - found.changed_at) >= self._settling_seconds

    def _news(self, found: _Found) -> FileNews | None:
        content = self._content(found)
        report = read_report(content) if isinstance(content, bytes) else content
        if isinstance(report, Unreadable):
            if not self._is_settled(found):
                self._half_written.add(found)
                return None
            named = content if isinstance(content, bytes) else os.fsencode(found.name)
            return _aside(found, named, report.reason)
        assert isinstance(content, bytes)
        batch_id = read_reference(report.original_message_id)
        lines = self._outbox.lines_of(report.original_message_id) if batch_id else None
        if batch_id is None or lines is None:
            return _aside(found, content, "message_not_ours")
        return self._reported(found, report, content, batch_id, lines)

    def _reported(
        self,
        found: _Found,
        report: Report,
        content: bytes,
        batch_id: UUID,
        lines: frozenset[UUID],
    ) -> FileNews:
        message_id = report.original_message_id
        number = self._keep(message_id, content)
        outcome = self.outcome_of(message_id)
        assert outcome is not None
        fault = None
        if foreign_lines(report, lines):
            name = f"taken/{message_id}/{number}.xml"
            fault = FileFault(FileFaultKind.LINES_NOT_OURS, name, "lines_not_ours")
        return FileNews(
            found.name,
            batch=BatchName(batch_id, message_id),
            results=outcome.brought_by(number),
            fault=fault,
        )

    def _content(self, found: _Found) -> bytes | Unreadable:
        """The bytes of a file, or why it has none that could be read."""
        if not found.is_file:
            return Unreadable("no_file")
        if found.size > MAXIMUM_BYTES:
            return Unreadable("too_long")
        try:
            opened = os.open(self._incoming / found.name, os.O_RDONLY | os.O_NOFOLLOW)
            with open(opened, "rb") as file:
                return file.read(MAXIMUM_BYTES + 1)
        except OSError:
            # Of this file alone: its neighbours are read.
            return Unreadable("cannot_be_opened")

    def _keep(self, message_id: str, content: bytes) -> int:
        """Keep a report under the next number, or find under which it is kept."""
        directory = self._taken / message_id
        directory.mkdir(parents=True, exist_ok=True)
        seen = directory / f"{hashlib.sha256(content).hexdigest()}.number"
        if seen.exists():
            return int(seen.read_text())
        known = self._outcomes.get(message_id)
        number = known.reports if known is not None else 0
        put_there = Put.DIFFERS
        while put_there is Put.DIFFERS:
            number += 1
            put_there = put(self._report_path(message_id, number), content)
        put(seen, str(number).encode())
        return number

    def _set_aside(self, path: Path, fault: FileFault) -> None:
        self._aside.mkdir(exist_ok=True)
        told = {"name": path.name, "reason": fault.reason}
        aside = self._aside.parent / fault.name
        put(aside.with_suffix(".json"), orjson.dumps(told))
        if aside.exists():
            path.unlink()
        else:
            shutil.move(path, aside)

    def _report_path(self, message_id: str, number: int) -> Path:
        return self._taken / message_id / f"{number}.xml"


def _aside(found: _Found, named: bytes, reason: str) -> FileNews:
    name = f"aside/{hashlib.sha256(named).hexdigest()[:32]}.xml"
    return FileNews(found.name, fault=FileFault(FileFaultKind.SET_ASIDE, name, reason))
