"""One local deployment in a folder at a time: a second one would end or overwrite the first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "process.lock"


class FolderInUse(Exception):
    """One line that says which process uses the folder, and what to do."""


@contextmanager
def exclusively(directory: Path, *, what: str) -> Iterator[None]:
    """Hold the folder (made if need be) as long as this process lives; raises FolderInUse.

    ``what`` is told to whoever comes meanwhile. The lock goes with the process, however it ends:
    no stale file is ever in the way.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "Something"
            raise FolderInUse(f"{holder}, runs in {directory}: stop it first (Ctrl-C).") from None
        file.truncate(0)
        file.write(f"{what}, process {os.getpid()}")
        file.flush()
        yield
