"""`make clean`: removes what runs leave behind, unless something runs on it.

    python3 -m deploy.local.clean

Needs nothing installed: it cleans up after an installation that failed, too.
"""

import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from deploy.local.exclusive import LOCK, FolderInUse, exclusively

DATA = Path(".local")
"""Databases, keys, logs and books of `make run`, `make demo`, `make bench` and `make faults`."""
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")


def main() -> None:
    try:
        remove_data(DATA)
    except FolderInUse as error:
        sys.exit(str(error))
    for cache in CACHES:
        shutil.rmtree(cache, ignore_errors=True)


def remove_data(directory: Path) -> None:
    """Remove the folder of local deployments; raises FolderInUse while one of them runs."""
    if not directory.exists():
        return
    with ExitStack() as held:
        for folder in {directory, *(lock.parent for lock in directory.rglob(LOCK))}:
            held.enter_context(exclusively(folder, what="`make clean`"))
        _require_no_postgres(directory)
        shutil.rmtree(directory)


def _require_no_postgres(directory: Path) -> None:
    """A server outlives a deployment that was killed, and works on as if nothing had happened."""
    for file in directory.rglob("postmaster.pid"):
        process_id = file.read_text().partition("\n")[0].strip()
        if process_id.isdecimal() and _is_postgres(int(process_id)):
            raise FolderInUse(
                f"PostgreSQL runs on {file.parent}, as process {process_id}, left behind by "
                f"something that was killed: end it (kill -INT {process_id}), and try again."
            )


def _is_postgres(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    # After a restart of the machine the number may be another program's.
    command = Path(f"/proc/{process_id}/cmdline")
    return not command.exists() or b"postgres" in command.read_bytes()


if __name__ == "__main__":
    main()
