"""What comes in: reports are kept by the file that they are about, and what is none is set aside.

What a report says is kept where nobody else writes, under the next number among those about the
same file: words and references, and nothing of persons. The file leaves the incoming directory once
what it brought is recorded: whoever dies in between reads it again, and it brings the same.
"""

import base64
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
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.payments.providers.bankfile.folders import (
    SIGNATURE_SUFFIX,
    Put,
    is_temporary,
    make_directory,
    put,
)
from services.payments.providers.bankfile.outbox import Outbox
from services.payments.providers.bankfile.outcomes import Outcome, speaks_of_others
from services.payments.providers.bankfile.references import read_reference
from services.payments.providers.bankfile.reports import (
    MAXIMUM_BYTES,
    Report,
    Unreadable,
    kept,
    read_kept,
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
        self._state = bank.state_directory
        self._settling_seconds = bank.settling_seconds
        self._keys = [
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            for key in bank.bank_public_keys
        ]
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
        """Have a file leave the incoming directory: read, or set aside with its reason."""
        found = self._told.pop(news.key)
        path = self._incoming / found.name
        if not os.path.lexists(path) or _Found.of(path) != found:
            # Somebody wrote on: what it says now is another file.
            return
        self._ended.add(found)
        if news.fault is not None:
            self._set_aside(path, news.fault)
        path.unlink(missing_ok=True)
        _signature_of(path).unlink(missing_ok=True)

    def outcome_of(self, message_id: str) -> Outcome | None:
        """What became of a file of ours, or None: nothing came in about it."""
        lines = self._outbox.lines_of(message_id)
        if lines is None:
            return None
        known = self._outcomes.pop(message_id, None) or Outcome(lines, message_id=message_id)
        while (path := self._report_path(message_id, known.reports + 1)).exists():
            try:
                known.add(read_kept(path.read_bytes()))
            except (ValueError, TypeError, LookupError) as error:
                raise OSError(f"report {path.name} of {message_id} is damaged") from error
        self._outcomes[message_id] = known
        if len(self._outcomes) > _KEPT_OUTCOMES:
            self._outcomes.popitem(last=False)
        return known if known.reports else None

    def _present(self) -> list[_Found]:
        """The files that are not being written, by their names."""
        present = []
        for path in sorted(self._incoming.iterdir()):
            with suppress(FileNotFoundError):
                if not is_temporary(path.name) and path.suffix != SIGNATURE_SUFFIX:
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
        if isinstance(content, Unreadable):
            return self._unreadable(found, os.fsencode(found.name), content.reason)
        report = read_report(content)
        if isinstance(report, Unreadable):
            return self._unreadable(found, content, report.reason)
        if not self._is_signed(found, content):
            return self._unreadable(found, content, "not_signed")
        batch_id = read_reference(report.original_message_id)
        lines = self._outbox.lines_of(report.original_message_id) if batch_id else None
        if batch_id is None or lines is None:
            return _aside(found, content, "message_not_ours")
        return self._reported(found, report, content, batch_id, lines)

    def _unreadable(self, found: _Found, named: bytes, reason: str) -> FileNews | None:
        """Nothing for now, where it may still be written, or its signature."""
        if self._is_settled(found):
            return _aside(found, named, reason)
        if reason != "not_signed":
            self._half_written.add(found)
        return None

    def _reported(
        self,
        found: _Found,
        report: Report,
        content: bytes,
        batch_id: UUID,
        lines: frozenset[UUID],
    ) -> FileNews:
        message_id = report.original_message_id
        number = self._keep(report, content)
        outcome = self.outcome_of(message_id)
        assert outcome is not None
        fault = None
        if speaks_of_others(report, lines):
            fault = FileFault(FileFaultKind.LINES_NOT_OURS, _name(content), "lines_not_ours")
        return FileNews(
            found.name,
            batch=BatchName(batch_id, message_id),
            results=outcome.brought_by(number),
            fault=fault,
        )

    def _is_signed(self, found: _Found, content: bytes) -> bool:
        """Whether one of the bank's keys signed a file; where it has none, each is."""
        if not self._keys:
            return True
        try:
            signature = _signature_of(self._incoming / found.name).read_bytes()
        except OSError:
            return False
        return any(_verifies(key, signature, content) for key in self._keys)

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

    def _keep(self, report: Report, content: bytes) -> int:
        """Keep what a report says under the next number, or find under which it is kept."""
        message_id = report.original_message_id
        directory = self._taken / message_id
        make_directory(self._taken)
        make_directory(directory)
        seen = directory / f"{hashlib.sha256(content).hexdigest()}.number"
        if seen.exists():
            return int(seen.read_text())
        known = self.outcome_of(message_id)
        number = known.reports if known is not None else 0
        put_there = Put.DIFFERS
        while put_there is Put.DIFFERS:
            number += 1
            put_there = put(self._report_path(message_id, number), kept(report))
        put(seen, str(number).encode())
        return number

    def _set_aside(self, path: Path, fault: FileFault) -> None:
        """Have a file lie where persons look, as it came, with why it does."""
        aside = self._state / fault.name
        make_directory(aside.parent)
        told = {"name": path.name, "reason": fault.reason}
        put(aside.with_suffix(".json"), orjson.dumps(told))
        if not os.path.lexists(aside):
            shutil.move(path, aside)

    def _report_path(self, message_id: str, number: int) -> Path:
        return self._taken / message_id / f"{number}.json"


def _aside(found: _Found, named: bytes, reason: str) -> FileNews:
    return FileNews(found.name, fault=FileFault(FileFaultKind.SET_ASIDE, _name(named), reason))


def _name(content: bytes) -> str:
    return f"aside/{hashlib.sha256(content).hexdigest()[:32]}.xml"


def _signature_of(path: Path) -> Path:
    return path.with_name(f"{path.name}{SIGNATURE_SUFFIX}")


def _verifies(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
