"""What may happen to a versioned document: it is proposed, and in force when another approves."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.documents import repository
from shared.documents.kind import DocumentKind, Foreseen
from shared.documents.schemas import Posted, VersionOut
from shared.documents.tables import DocumentVersion
from shared.errors import Conflict, NotFound
from shared.pagination import Int4, Page, PageOf
from shared.values import STORED

Foresee = Callable[[AsyncSession, Posted], Awaitable[Foreseen]]
"""What a version in force would bring about, once its document was checked."""


async def _nothing_foreseen(session: AsyncSession, document: Any) -> Foreseen:
    return Foreseen()


def document_step(kind: DocumentKind[Posted], step: StrEnum, *, waits: timedelta) -> Step:
    """A further version of a document, as a kind of step that needs two persons."""

    async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
        document = kind.document.model_validate(proposal.document["document"])
        version = int(proposal.document["version"])
        await kind.check(session, document)
        await _add(
            session,
            kind,
            document,
            version=version,
            posted_by=proposal.proposed_by,
            posted_at=clock.now(),
        )
        return f"{kind.path}/{document.code}/versions/{version}"

    return Step(kind=step, waits=waits, carry_out=carry_out)


async def propose(
    session: AsyncSession,
    steps: Steps,
    step: StrEnum,
    kind: DocumentKind[Posted],
    document: Posted,
    *,
    foresee: Foresee[Posted] = _nothing_foreseen,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose a document's first version; raises Conflict where the code is taken."""
    if await repository.latest_version(session, kind, document.code):
        raise _taken(kind, document.code, 1)
    return await _propose(
        session, steps, step, kind, document, version=1, foresee=foresee, caller=caller, clock=clock
    )


async def propose_version(
    session: AsyncSession,
    steps: Steps,
    step: StrEnum,
    kind: DocumentKind[Posted],
    code: str,
    document: Posted,
    *,
    foresee: Foresee[Posted] = _nothing_foreseen,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose a further version, in force from its approval on.

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
    return await _propose(
        session,
        steps,
        step,
        kind,
        document,
        version=latest.version + 1,
        foresee=foresee,
        caller=caller,
        clock=clock,
    )


async def get(
    session: AsyncSession, kind: DocumentKind[Posted], code: str, version: int | None = None
) -> VersionOut[Posted]:
    """A version, the one in force without a number; raises NotFound."""
    stored = await repository.find_version(session, kind, code, version)
    if stored is not None:
        found = shown(kind, stored)
        return found if version is not None else (await _with_beside(session, kind, [found]))[0]
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
    found = await _with_beside(session, kind, [shown(kind, row) for row in rows])
    return page.of(found, key=lambda version: (version.code,))


async def list_versions(
    session: AsyncSession, kind: DocumentKind[Posted], code: str, page: Page
) -> PageOf[VersionOut[Posted]]:
    """A page of a document's versions, newest first; raises NotFound."""
    await get(session, kind, code)
    rows = await repository.list_versions(
        session, kind, code, below=page.after(Int4), limit=page.fetch_limit
    )
    return page.of([shown(kind, row) for row in rows], key=lambda version: (version.version,))


def shown(kind: DocumentKind[Posted], stored: DocumentVersion) -> VersionOut[Posted]:
    """A stored version as it is shown."""
    return kind.version_out.model_validate(repository.stored_fields(stored), context=STORED)


async def _with_beside(
    session: AsyncSession, kind: DocumentKind[Posted], versions: Sequence[VersionOut[Posted]]
) -> list[VersionOut[Posted]]:
    beside = await kind.beside(session, versions)
    return [version.model_copy(update=beside.get(version.code)) for version in versions]


async def _propose(
    session: AsyncSession,
    steps: Steps,
    step: StrEnum,
    kind: DocumentKind[Posted],
    document: Posted,
    *,
    version: int,
    foresee: Foresee[Posted],
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    await kind.check(session, document)
    foreseen = await foresee(session, document)
    what = f"Put version {version} of the {kind.noun} '{document.code}' in force."
    return await approvals.propose(
        session,
        steps,
        step,
        {"version": version, "document": document.model_dump(mode="json"), **foreseen.beside},
        Effect(
            what=what if foreseen.what is None else f"{what} {foreseen.what}",
            households=foreseen.households,
            amount_minor=foreseen.amount_minor,
            currency=foreseen.currency,
        ),
        reason=None,
        caller=caller,
        clock=clock,
    )


async def _add(
    session: AsyncSession,
    kind: DocumentKind[Posted],
    document: Posted,
    *,
    version: int,
    posted_by: str,
    posted_at: datetime,
) -> None:
    stored = await repository.add_version(
        session, kind, document, version=version, posted_by=posted_by, posted_at=posted_at
    )
    if stored is None:
        raise _taken(kind, document.code, version)
    await audit.record(
        session,
        f"{kind.path.removeprefix('/v1/')}/{document.code}",
        before={"version": version - 1} if version > 1 else None,
        after={"version": version, "posted_by": posted_by},
    )
    await kind.after(session, shown(kind, stored))


def _taken(kind: DocumentKind[Posted], code: str, version: int) -> Conflict:
    return Conflict(
        f"There is a {kind.noun} '{code}' with version {version} already. Read it with "
        f"GET {kind.path}/{code}; post a change to POST {kind.path}/{code}/versions."
    )
