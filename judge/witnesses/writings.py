"""The fourth witness: what is written where anybody may read it, the dump and the logs.

Searched for the personal data of households that are known from outside, word by word: a value is
found wherever it stands as a word (or two words, as names do), bytes of it as PostgreSQL prints
them, and either with the escapes of JSON.
"""

import csv
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from judge.records import Searched

PERSONAL_COLUMNS = ("head_name", "phone", "id_number", "account")

# Letters, digits, and the signs that Khmer letters carry, which are no letters by themselves.
_WORD = re.compile("\\+?[\\w\u1780-\u17ff]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_EVENT_LOG = "CREATE TABLE events.event"


class NoDump(Exception):
    """One line that says why the database could not be dumped."""


def personal_values(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Each personal value of the rows of an import, and its bytes in hexadecimal; its column."""
    values = {}
    for row in rows:
        for column in PERSONAL_COLUMNS:
            if value := row.get(column):
                values[value] = column
                # PostgreSQL prints bytes as \x and their digits: one word, x included.
                values[value.encode().hex()] = values[f"x{value.encode().hex()}"] = column
    return values


def personal_values_of(file: Path) -> dict[str, str]:
    """The personal values of an import's file."""
    with file.open(encoding="utf-8", newline="") as rows:
        return personal_values(csv.DictReader(rows))


def searched(writing: str, lines: Iterable[str], values: Mapping[str, str]) -> Searched:
    """How many different personal values a writing tells, of each kind."""
    found: set[str] = set()
    first_line = None
    before = ""
    for number, line in enumerate(lines, start=1):
        for word in _WORD.findall(_unescaped(line)):
            for told in (word, f"{before} {word}"):
                if told in values and told not in found:
                    found.add(told)
                    first_line = first_line or number
            before = word
    kinds = Counter(values[told] for told in found)
    return Searched(writing=writing, told=kinds, first_line=first_line)


def searched_file(path: Path, values: Mapping[str, str]) -> Searched:
    """A log file, by its name."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return searched(path.name, lines, values)


def searched_dump(
    database_url: str, values: Mapping[str, str], *, pg_dump: str = "pg_dump"
) -> Searched:
    """The database's dump, the event log with it; raises NoDump."""
    return searched("the database's dump", _dump(database_url, pg_dump=pg_dump), values)


def _encrypted() -> dict[str, str]:
    """What DATABASE_TLS and DATABASE_TLS_CA say, in the words of PostgreSQL's own programs."""
    mode = os.environ.get("DATABASE_TLS")
    if mode is None:
        return {}
    trusted = {"PGSSLROOTCERT": os.environ.get("DATABASE_TLS_CA", "system")}
    return {"PGSSLMODE": mode, **(trusted if mode == "verify-full" else {})}


def _dump(database_url: str, *, pg_dump: str) -> Iterator[str]:
    url = make_url(database_url).set(drivername="postgresql")
    # The password goes by the environment: a command line can be read by others.
    plain = url.set(password=None).render_as_string()
    environment = {
        **os.environ,
        **({"PGPASSWORD": str(url.password)} if url.password else {}),
        **_encrypted(),
    }
    with_event_log = False
    try:
        process = subprocess.Popen(
            [pg_dump, "--no-owner", f"--dbname={plain}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise NoDump(f"{pg_dump}: {error.strerror}") from error
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            with_event_log = with_event_log or line.startswith(_EVENT_LOG)
            yield line
        said = process.stderr.read().strip()
    if process.returncode or not with_event_log:
        raise NoDump(f"{pg_dump} failed: {said or 'the event log is not in it'}")


def _unescaped(line: str) -> str:
    if "\\u" not in line:
        return line
    return _ESCAPED.sub(lambda escape: chr(int(escape.group(1), 16)), line)
