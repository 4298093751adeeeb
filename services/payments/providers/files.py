"""The face of a provider that answers by files: what is done about each that came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from services.payments.providers.batches import BatchName, LineResult


class FileFaultKind(StrEnum):
    SET_ASIDE = "set_aside"
    """A file that came in cannot be read, or speaks of no file of ours."""
    DIFFERS = "differs"
    """A file that was to be sent is there already, with other bytes."""
    LINES_NOT_OURS = "lines_not_ours"
    """A file that came in speaks of lines that are not in the file that it is about."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """What a person has to look at."""

    kind: FileFaultKind
    name: str
    """By what it is found in the state directory: never a name of somebody else's choosing."""
    reason: str
    """A code."""


@dataclass(frozen=True, slots=True)
class FileNews:
    """What one file brought. It is told again, the same, until it is ended."""

    key: str
    """By what the adapter knows it."""
    batch: BatchName | None = None
    """Of which batch it speaks."""
    results: Sequence[LineResult] = ()
    """How lines of the batch ended, as far as no file before it had said so."""
    fault: FileFault | None = None


@runtime_checkable
class FileAdapter(Protocol):
    """Speaks to one configured provider by files. No file that comes in raises here."""

    @property
    def code(self) -> str:
        """The provider's code."""
        ...

    async def take_files(self, *, limit: int) -> Sequence[FileNews]:
        """Take in what is there; where folders are away, nothing is."""
        ...

    async def end_file(self, news: FileNews) -> None:
        """What it brought is recorded: it is not told again."""
        ...
