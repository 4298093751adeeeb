"""What may happen to a versioned document: it is posted, and gets further versions."""

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import Caller
from shared.clock import Clock
from shared.documents import repository
from shared.documents.kind import DocumentKind
from shared.documents.schemas import Posted, VersionOut
from shared.documents.tables import DocumentVersion
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf


async def create(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    document: Posted,
    *,
    caller: Caller,
    clock: Clock,
) -> VersionOut[Posted]:
    """Post a document's first version; raises Conflict where the code is taken."""
    await kind.check(session, document)
    return await _add(session, kind, document, version=1, caller=caller, clock=clock)


async def add_version(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    code: str,
    document: Posted,
    *,
    caller: Caller,
    clock: Clock,
) -> VersionOut[Posted]:
    """Post a further version, in force from now on.

    Raises NotFound, or Conflict where the document is about something else: another value of an
    unchanging field would give what is under way another meaning.
    """
    latest = await get(session, kind, code)
    if document.code != code:
        raise Conflict(f"The document is of '{document.code}'. Post it under that code.")
    for field in kind.unchanging:
        if getattr(document, field) != getattr(latest.document, field):
            raise Conflict(
                f"All versions of '{code}' share one {field}. Post another {kind.noun} instead."
            )
    await kind.check(session, document)
    return await _add(
        session, kind, document, version=latest.version + 1, caller=caller, clock=clock
    )


async def get(
    session: AsyncSession, kind: DocumentKind[Posted], code: str, version: int | None = None
) -> VersionOut[Posted]:
    """A version, the one in force without a number; raises NotFound."""
    stored = await repository.find_version(session, kind, code, version)
    if stored is not None:
        return shown(kind, stored)
    if version is None or not await repository.latest_version(session, kind, code):
        raise NotFound(f"No {kind.noun} has the code '{code}'. GET {kind.path} lists them.")
    raise NotFound(
        f"The {kind.noun} '{code}' has no version {version}. "
        f"GET {kind.path}/{{code}}/versions lists them."
    )


async def in_force(
    session: AsyncSession, kind: DocumentKind[Posted], *, where: ColumnElement[bool] | None = None
) -> list[VersionOut[Posted]]:
    """Every document in the version in force, by code."""
    rows = await repository.list_in_force(session, kind, where=where)
    return [shown(kind, row) for row in rows]


async def list_page(
    session: AsyncSession, kind: DocumentKind[Posted], page: Page
) -> PageOf[VersionOut[Posted]]:
    """A page of the versions in force, by code."""
    rows = await repository.list_in_force(
        session, kind, after=page.after(str), limit=page.fetch_limit
    )
    return page.of([shown(kind, row) for row in rows], key=lambda version: (version.code,))


async def list_versions(
    session: AsyncSession, kind: DocumentKind[Posted], code: str, page: Page
) -> PageOf[VersionOut[Posted]]:
    """A page of a document's versions, newest first; raises NotFound."""
    await get(session, kind, code)
    rows = await repository.list_versions(
        session, kind, code, below=page.after(int), limit=page.fetch_limit
    )
    return page.of([shown(kind, row) for row in rows], key=lambda version: (version.version,))


def shown(kind: DocumentKind[Posted], stored: DocumentVersion) -> VersionOut[Posted]:
    """A stored version as it is shown."""
    return kind.version_out.model_validate(repository.stored_fields(stored))


async def _add(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    document: Posted,
    *,
    version: int,
    caller: Caller,
    clock: Clock,
) -> VersionOut[Posted]:
    stored = await repository.add_version(
        session,
        kind,
        document,
        version=version,
        posted_by=caller.subject,
        posted_at=clock.now(),
    )
    if stored is None:
        raise Conflict(
            f"There is a {kind.noun} '{document.code}' with version {version} already. Read it "
            f"with GET {kind.path}/{document.code}; post a change to "
            f"POST {kind.path}/{document.code}/versions."
        )
    posted = shown(kind, stored)
    await kind.after(session, posted)
    return posted
