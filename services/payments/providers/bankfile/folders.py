"""Files that appear whole or not at all, and are never written over."""

import os
import re
import secrets
import time
from enum import StrEnum
from pathlib import Path

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}", re.ASCII)
"""How a file is called while it is written."""
_STALE_SECONDS = 3600
"""Whatever is being written for longer was left by a process that ended."""
SIGNATURE_SUFFIX = ".sig"
"""Behind a file's name: its signature, 64 bytes of Ed25519 (RFC 8032) over the file's bytes."""


class Put(StrEnum):
    """What came of putting a file somewhere."""

    NEW = "new"
    SAME = "same"
    """It was there already, with the same bytes."""
    DIFFERS = "differs"
    """There is one of that name with other bytes, and it stays as it is."""


def put(path: Path, content: bytes) -> Put:
    """Put a file where it appears whole, and is on the disk; raises OSError.

    It is written under a temporary name and then linked: unlike a renaming, a link never takes the
    place of what is there.
    """
    unfinished = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    _remove_stale(path.parent)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return Put.SAME if path.read_bytes() == content else Put.DIFFERS
    finally:
        unfinished.unlink(missing_ok=True)
    keep_names(path.parent)
    return Put.NEW


def keep_names(directory: Path) -> None:
    """Have what a directory lists be on the disk; raises OSError."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_directory(directory: Path) -> None:
    """Make a directory that is on the disk, unless it is there; raises OSError."""
    if not directory.is_dir():
        directory.mkdir(exist_ok=True)
        keep_names(directory.parent)


def is_temporary(name: str) -> bool:
    """Whether a file of that name is still being written."""
    return name.startswith(".") or name.endswith((".tmp", ".part", ".filepart"))


def _remove_stale(directory: Path) -> None:
    """Take away what a process left that died while it wrote: it holds accounts."""
    oldest = time.time() - _STALE_SECONDS
    for entry in os.scandir(directory):
        if _UNFINISHED.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            try:
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    os.unlink(entry.path)
            except FileNotFoundError:
                continue
