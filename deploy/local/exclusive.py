"""One local deployment in a folder at a time: a second one would end or overwrite the first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderInUse(Exception):
    """One line that says which process uses the folder, and what to do."""


@contextmanager
def exclusively(directory: Path, *, what: str) -> Iterator[None]:
    """Hold the folder (made if need be) as long as this process lives; raises FolderInUse.

    The lock goes with the process, however it ends: no stale file is ever in the way.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "process.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise FolderInUse(
                f"{what} runs already, as process {file.read().strip()}: stop it first (Ctrl-C)."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
