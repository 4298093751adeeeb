"""What tells one kind of versioned document from another."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from sqlalchemy.ext.asyncio import AsyncSession

from shared.documents.schemas import Posted, VersionOut
from shared.documents.tables import DocumentVersion


async def _accepts(session: AsyncSession, document: Any) -> None:
    """Nothing beyond the document's own shape is asked of it."""


async def _nothing_more(session: AsyncSession, posted: Any) -> None:
    """All of it stands in its row."""


async def _nothing_beside(session: AsyncSession, versions: Any) -> dict[str, dict[str, Any]]:
    """A version is shown as it was posted."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What putting a version in force would bring about, for whoever decides about it."""

    what: str | None = None
    """Sentences that are added to the proposal's."""
    households: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What is kept beside the document in the proposal, as JSON."""


async def nothing_foreseen(session: AsyncSession, document: Any, told: Any) -> Foreseen:
    """Nobody can say more than the document does."""
    return Foreseen()


def _no_columns(document: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class DocumentKind(Generic[Posted]):
    """A kind of document: its words, where it is kept, and what holds across its versions."""

    noun: str
    """In the singular, as people read it in summaries and errors: ``scheme``."""
    path: str
    """Where its routes lie, as a caller sees them: ``/v1/schemes``."""
    table: type[DocumentVersion]
    document: type[Posted]
    version_out: type[VersionOut[Posted]]
    unchanging: tuple[str, ...] = ()
    """Fields that all versions share: with another value it is another document."""
    check: Callable[[AsyncSession, Posted], Awaitable[None]] = _accepts
    """Raises a Problem where what the document refers to does not allow it."""
    columns: Callable[[Posted], dict[str, Any]] = _no_columns
    """What the table keeps of a document in columns of its own, to search by."""
    after: Callable[[AsyncSession, VersionOut[Posted]], Awaitable[None]] = _nothing_more
    """What else is kept of a version, in tables of its own."""
    beside: Callable[
        [AsyncSession, Sequence[VersionOut[Posted]]], Awaitable[dict[str, dict[str, Any]]]
    ] = _nothing_beside
    """What is shown beside versions in force: further fields of ``version_out``, by code."""
