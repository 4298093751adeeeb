"""Editions of the gazetteer: drafted, looked at, proposed."""

import asyncio
import hashlib
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import ApprovalKind
from services.registry.areas import repository as areas
from services.registry.areas.tables import Edition
from services.registry.editions import repository
from services.registry.editions.comparing import (
    Fault,
    Table,
)
from services.registry.editions.looking import changes_of, get_draft, look, require_sound
from services.registry.editions.reading import NO_AREAS, NO_CHANGES, read_edition
from services.registry.editions.schemas import (
    ChangeOut,
    Differences,
    EditionIn,
    EditionOut,
    EditionStatus,
    FaultOut,
)
from shared import audit
from shared.approvals import ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf

_FAULTS_TOLD = 200


async def begin(
    session: AsyncSession, given: EditionIn, *, caller: Caller, clock: Clock
) -> EditionOut:
    """A draft without tables, in place of one with its code; raises Conflict."""
    known = await repository.find_edition(session, given.code, lock=True)
    if known is not None and known.number is not None:
        raise Conflict(f"The edition '{given.code}' was put in force. Give a new one another code.")
    await repository.keep_draft(
        session,
        code=given.code,
        note=given.note,
        created_by=caller.subject,
        created_at=clock.now(),
    )
    return await get(session, given.code)


async def keep_table(
    session: AsyncSession, code: str, table: Table, content: bytes, *, caller: Caller
) -> EditionOut:
    """Keep a table of a draft, and say what the draft would do; raises NotFound, Conflict, and
    Unprocessable with everything that is wrong with the table."""
    edition = await get_draft(session, code)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unprocessable("The table is not in UTF-8. Save it as “CSV UTF-8”.") from None
    if "\0" in text:
        raise Unprocessable("The table holds a character that is no text. Save it anew as CSV.")
    is_areas = table is Table.AREAS
    read = await asyncio.to_thread(
        read_edition, text if is_areas else NO_AREAS, NO_CHANGES if is_areas else text
    )
    if read.faults:
        raise _refused(read.faults)
    tables = {"areas": edition.areas, "changes": edition.changes} | {str(table): text}
    await repository.change(
        session,
        code,
        digest=_digest(tables["areas"] or "", tables["changes"] or ""),
        sent_by=sorted({*edition.sent_by, caller.subject}),
        **tables,
    )
    shown = await get(session, code)
    await audit.record(
        session,
        f"gazetteer/editions/{code}",
        after={
            "table": table,
            "differences": shown.differences and shown.differences.model_dump(mode="json"),
        },
    )
    return shown


async def get(session: AsyncSession, code: str) -> EditionOut:
    """An edition, of a draft what it would do now; raises NotFound."""
    edition = await _get(session, code)
    in_force = await areas.edition_in_force(session)
    if edition.number is not None or edition.areas is None:
        return _shown(edition, _kept(edition), in_force=in_force)
    looked = await look(session, edition)
    if looked.comparison.faults:
        return _shown(edition, None, in_force=in_force, faults=looked.comparison.faults)
    return _shown(edition, looked.differences, in_force=in_force)


async def list_page(session: AsyncSession, page: Page) -> PageOf[EditionOut]:
    """A page of editions by code; of drafts without what they would do."""
    rows = await repository.list_editions(session, after=page.after(str), limit=page.fetch_limit)
    in_force = await areas.edition_in_force(session)
    shown = [_shown(row, _kept(row), in_force=in_force) for row in rows]
    return page.of(shown, key=lambda edition: (edition.code,))


async def list_changes(session: AsyncSession, code: str, page: Page) -> PageOf[ChangeOut]:
    """A page of what an edition changes, or a draft would, by codes; raises NotFound."""
    edition = await _get(session, code)
    after = page.after(str, str)
    if edition.number is not None:
        rows = await repository.list_changes(session, code, after=after, limit=page.fetch_limit)
        changes = [ChangeOut(**row._asdict()) for row in rows]
    elif edition.areas is None:
        changes = []
    else:
        looked = await look(session, edition)
        changes = [
            change
            for change in changes_of(looked)
            if after is None or (change.from_code, change.to_code) > after
        ][: page.fetch_limit]
    return page.of(changes, key=lambda change: (change.from_code, change.to_code))


async def propose(
    session: AsyncSession,
    steps: Steps,
    code: str,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose that a draft be put in force; raises NotFound, Conflict."""
    edition = await get_draft(session, code)
    looked = await look(session, edition)
    require_sound(looked)
    found = looked.differences
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.GAZETTEER_EDITION,
        {
            "edition": code,
            "digest": (edition.digest or b"").hex(),
            "differences": found.model_dump(mode="json"),
        },
        Effect(
            what=f"Put the edition {code} of the gazetteer in force: "
            f"{sum(found.changes.values()):,} changes of codes, {found.added:,} new, "
            f"{found.ended:,} ended. {found.households_following:,} households follow, and "
            f"{found.households_to_place:,} wait to be placed by a person.",
            households=found.households_following + found.households_to_place,
            evidence_by=edition.sent_by,
        ),
        reason=reason,
        caller=caller,
        clock=clock,
    )


def _refused(faults: Sequence[Fault]) -> Unprocessable:
    several = f"{len(faults):,} things are" if len(faults) > 1 else "One thing is"
    return Unprocessable(
        f"{several} wrong with this table; nothing of it was kept. See `faults`, which lists "
        f"the first {_FAULTS_TOLD} with their lines, correct the table, and send it again.",
        faults=[fault._asdict() for fault in faults[:_FAULTS_TOLD]],
    )


def _digest(given_areas: str, given_changes: str) -> bytes:
    return hashlib.sha256(f"{len(given_areas)}\n{given_areas}{given_changes}".encode()).digest()


async def _get(session: AsyncSession, code: str) -> Edition:
    edition = await repository.find_edition(session, code)
    if edition is None:
        raise NotFound("There is no such edition. GET /v1/gazetteer/editions lists them.")
    return edition


def _kept(edition: Edition) -> Differences | None:
    return None if edition.summary is None else Differences.model_validate(edition.summary)


def _shown(
    edition: Edition,
    differences: Differences | None,
    *,
    in_force: Edition | None,
    faults: Sequence[Fault] = (),
) -> EditionOut:
    status = EditionStatus.DRAFT
    if edition.number is not None:
        latest = in_force is not None and in_force.code == edition.code
        status = EditionStatus.IN_FORCE if latest else EditionStatus.SUPERSEDED
    return EditionOut(
        code=edition.code,
        number=edition.number,
        status=status,
        note=edition.note,
        created_by=edition.created_by,
        created_at=edition.created_at,
        sent_by=edition.sent_by,
        in_force_at=edition.in_force_at,
        approval_id=edition.approval_id,
        differences=differences,
        faults=[FaultOut(**fault._asdict()) for fault in faults[:_FAULTS_TOLD]],
    )
