"""Editions of the gazetteer: looked at, proposed, put in force; and households that it lost.

Everything of an edition happens in one transaction that nobody who enrols or registers shares:
areas, changes, where households stand, what is still to be enrolled.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import ApprovalKind
from services.registry.areas import repository as areas
from services.registry.areas.gazetteer import AreaRecord
from services.registry.areas.tables import COUNTRY_CODE, Edition, Level
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.editions import repository
from services.registry.editions.comparing import (
    DIGITS,
    LEVEL_OF,
    Comparison,
    Fault,
    Names,
    Table,
    compare,
    lead,
    moves_of,
    step,
)
from services.registry.editions.inheriting import records_of, without_residence
from services.registry.editions.reading import NO_AREAS, NO_CHANGES, ReadEdition, read_edition
from services.registry.editions.repository import Occupied
from services.registry.editions.schemas import (
    ChangeOut,
    Differences,
    EditionIn,
    EditionOut,
    EditionStatus,
    FaultOut,
    PlacedOut,
    PlacementsIn,
    PlacementsOut,
    WaitingOut,
)
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX

_FAULTS_TOLD = 200
_COMMUNE_DIGITS = DIGITS[Level.COMMUNE]


@dataclass(frozen=True)
class _Looked:
    """An edition held against what is in force now."""

    read: ReadEdition
    comparison: Comparison
    known: dict[str, AreaRecord]
    occupied: Occupied

    @property
    def differences(self) -> Differences:
        places = self.comparison.places
        households = self.occupied.households
        placed = sum(households[at] for at, place in places.items() if place.commune is not None)
        waits = sum(households[at] for at, place in places.items() if place.commune is None)
        moves = self.comparison.moves
        placed += sum(
            count
            for choices, count in self.occupied.choices.items()
            if len(_still(choices, moves, self.read)) == 1
        )
        return Differences(
            areas={
                level: sum(len(code) == digits for code in self.read.areas)
                for level, digits in DIGITS.items()
            },
            changes=dict(Counter(change.kind for change in self.comparison.changes)),
            added=len(self.comparison.added),
            ended=len(self.comparison.ended),
            households_following=placed,
            households_to_place=waits,
        )


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
    edition = await _get_draft(session, code)
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
    looked = await _look(session, edition)
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
        looked = await _look(session, edition)
        changes = [
            change
            for change in _changes_of(looked)
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
    edition = await _get_draft(session, code)
    looked = await _look(session, edition)
    _require_sound(looked)
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


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Put an edition in force as two persons wanted it; raises Conflict."""
    code = str(proposal.document["edition"])
    await areas.have_fence(session)
    edition = await _get_draft(session, code)
    if (edition.digest or b"").hex() != proposal.document["digest"]:
        raise Conflict(
            "The draft was replaced since this was proposed. Decline it, and propose the edition "
            "as it is now."
        )
    await repository.close_placed(session)
    looked = await _look(session, edition)
    _require_sound(looked)
    in_force = await areas.edition_in_force(session)
    assert in_force is not None
    assert in_force.number is not None
    await _put_in_force(
        session, code, looked, number=in_force.number + 1, proposal=proposal, clock=clock
    )
    return f"{API_PREFIX}/gazetteer/editions/{code}"


async def _put_in_force(
    session: AsyncSession,
    code: str,
    looked: _Looked,
    *,
    number: int,
    proposal: Approval,
    clock: Clock,
) -> None:
    now = clock.now()
    comparison, read = looked.comparison, looked.read
    moves = comparison.moves
    records = records_of(looked.known, read.areas, moves, edition=code)
    await areas.replace_areas(session, records)
    await repository.end_areas(session, comparison.ended, at=now)
    names = {area.code: Names(area.name_en, area.name_km) for area in looked.known.values()}
    await repository.add_changes(session, code, comparison.changes, names)
    await repository.change(
        session,
        code,
        number=number,
        in_force_at=now,
        loaded_at=now,
        approval_id=proposal.id,
        summary=looked.differences.model_dump(mode="json"),
    )
    await repository.replace_successors(session, await _successors(session, read))
    await say(
        session,
        Said(
            kind=ChangeKind.AREA_CHANGED,
            by=proposal.proposed_by,
            at=now,
            approval_id=proposal.id,
            source=code,
            reason=proposal.reason,
        ),
    )
    await repository.follow(session, code, comparison.places, at=now)
    narrowed = {
        choices: still
        for choices in looked.occupied.choices
        if (still := _still(choices, moves, read)) != choices
    }
    await repository.narrow(session, code, narrowed, at=now)
    await _replan(session, looked, number=number)


async def _replan(session: AsyncSession, looked: _Looked, *, number: int) -> None:
    """What was to be enrolled by old codes is enrolled by the new ones, and by those in which
    some wait; what was reached is reached still."""
    moves, living = looked.comparison.moves, looked.read.areas
    codes: dict[UUID, list[str]] = {}
    for chunk in await repository.planned_chunks(session):
        waited_in = {code for code in chunk.area_codes if code not in living}
        now = sorted({*step(chunk.area_codes, moves), *waited_in})
        if now != sorted(chunk.area_codes):
            codes[chunk.id] = now
    await repository.replan(session, codes)
    changed = {to for code, several in moves.items() for to in several if len(code) == 6}
    led = {
        code: tuple(to for to in step([code], moves) if to in changed)
        for code in looked.known
        if len(code) == _COMMUNE_DIGITS
    }
    await repository.reach_too(session, led, number=number)


async def _successors(session: AsyncSession, read: ReadEdition) -> dict[str, Sequence[str]]:
    changes = await repository.history(session)
    history = [moves_of(several) for several in changes]
    codes = {code for moves in history for code in moves}
    found = {code: [to for to in lead(code, history) if to in read.areas] for code in sorted(codes)}
    return {code: several for code, several in found.items() if several not in ([code], [])}


async def _look(session: AsyncSession, edition: Edition) -> _Looked:
    """Both tables, read and held against what is in force; raises Conflict before the first, and
    where the areas were not sent."""
    if edition.areas is None:
        raise Conflict("It has no areas yet. PUT /v1/gazetteer/editions/{code}/areas takes them.")
    read = await asyncio.to_thread(
        read_edition, edition.areas, NO_CHANGES if edition.changes is None else edition.changes
    )
    known = await repository.living_areas(session)
    if COUNTRY_CODE not in known:
        raise Conflict("No edition is in force yet. PUT /v1/gazetteer loads the one that ships.")
    occupied = await repository.occupied(session)
    comparison = await asyncio.to_thread(_compared, read, known, occupied)
    assert not read.faults, "what is kept was read before"
    return _Looked(read, comparison, known, occupied)


def _compared(read: ReadEdition, known: dict[str, AreaRecord], occupied: Occupied) -> Comparison:
    comparison = compare(
        {
            # Some of the shipped names have blanks around them, which no table says.
            code: Names(area.name_en.strip(), area.name_km.strip())
            for code, area in known.items()
            if code != COUNTRY_CODE
        },
        {code: (area.line, area.names) for code, area in read.areas.items()},
        read.changes,
        occupied=occupied.households.keys(),
        open_choices=occupied.choices.keys(),
        waited_in=occupied.waited_in,
    )
    unknown_kind = [
        Fault(
            Table.AREAS,
            read.areas[code].line,
            "residence-missing",
            f"{code} is a new commune that nothing leads to: say its residence.",
        )
        for code in without_residence(known, read.areas, comparison.moves)
    ]
    return Comparison(
        faults=[*comparison.faults, *unknown_kind],
        changes=comparison.changes,
        added=comparison.added,
        ended=comparison.ended,
        places=comparison.places,
    )


def _still(choices: Sequence[str], moves: Any, read: ReadEdition) -> tuple[str, ...]:
    return tuple(code for code in step(choices, moves) if code in read.areas)


def _changes_of(looked: _Looked) -> list[ChangeOut]:
    following: Counter[tuple[str, str]] = Counter()
    waiting: Counter[str] = Counter()
    for standing, place in looked.comparison.places.items():
        count = looked.occupied.households[standing]
        if place.commune is None:
            waiting[standing.commune] += count
        else:
            following[standing.commune, place.commune] += count
    return [
        ChangeOut(
            kind=change.kind,
            from_code=change.from_code,
            from_name_en=looked.known[change.from_code].name_en,
            from_name_km=looked.known[change.from_code].name_km,
            to_code=change.to_code,
            to_name_en=looked.read.areas[change.to_code].names.english,
            to_name_km=looked.read.areas[change.to_code].names.khmer,
            households_following=following[change.from_code, change.to_code],
            households_to_place=waiting[change.from_code],
        )
        for change in looked.comparison.changes
    ]


def _refused(faults: Sequence[Fault]) -> Unprocessable:
    several = f"{len(faults):,} things are" if len(faults) > 1 else "One thing is"
    return Unprocessable(
        f"{several} wrong with this table; nothing of it was kept. See `faults`, which lists "
        f"the first {_FAULTS_TOLD} with their lines, correct the table, and send it again.",
        faults=[fault._asdict() for fault in faults[:_FAULTS_TOLD]],
    )


def _require_sound(looked: _Looked) -> None:
    if looked.comparison.faults:
        first = looked.comparison.faults[0]
        raise Conflict(
            "The edition does not go with what is in force now, or with where households stand "
            f"now. {first.detail} Correct the tables, and send them again."
        )


def _digest(given_areas: str, given_changes: str) -> bytes:
    return hashlib.sha256(f"{len(given_areas)}\n{given_areas}{given_changes}".encode()).digest()


async def _get(session: AsyncSession, code: str) -> Edition:
    edition = await repository.find_edition(session, code)
    if edition is None:
        raise NotFound("There is no such edition. GET /v1/gazetteer/editions lists them.")
    return edition


async def _get_draft(session: AsyncSession, code: str) -> Edition:
    edition = await repository.find_edition(session, code, lock=True)
    if edition is None:
        raise NotFound("There is no such edition. GET /v1/gazetteer/editions lists them.")
    if edition.number is not None:
        raise Conflict(f"The edition '{code}' was put in force already.")
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


async def list_waiting(
    session: AsyncSession, page: Page, *, within: str | None, clock: Clock
) -> PageOf[WaitingOut]:
    """A page of the households that nobody could place yet."""
    rows = await repository.list_waiting(
        session,
        within=None if within == COUNTRY_CODE else within,
        after=page.after(str, UUID),
        limit=page.fetch_limit,
    )
    now = clock.now()
    waiting = [
        WaitingOut(**row._asdict(), waits_days=max(0, (now - row.waits_since).days)) for row in rows
    ]
    return page.of(waiting, key=lambda listed: (listed.area_code, listed.household_id))


async def place(
    session: AsyncSession, given: PlacementsIn, *, caller: Caller, clock: Clock
) -> PlacementsOut:
    """Have households live where a person says; each by itself: what is wrong says why."""
    await areas.have_fence(session)
    wanted = {placement.household_id: placement.code for placement in given.placements}
    if len(wanted) < len(given.placements):
        raise Unprocessable("A household is named twice. Say of each once where it lives.")
    living = await repository.living(session, set(wanted.values()))
    waiting = await repository.lock_waiting(session, sorted(wanted))
    details: dict[UUID, str | None] = {}
    for household_id, code in sorted(wanted.items()):
        commune = code[:_COMMUNE_DIGITS]
        row = waiting.get(household_id)
        if row is None:
            details[household_id] = (
                "It does not wait to be placed. GET /v1/gazetteer/waiting lists those that do."
            )
        elif commune not in row.choices or code not in living:
            details[household_id] = (
                f"It is in one of {', '.join(row.choices)}, or in a village there."
            )
        else:
            details[household_id] = None
            await say(
                session,
                Said(
                    kind=ChangeKind.AREA_CHANGED,
                    by=caller.subject,
                    at=clock.now(),
                    reason=given.reason,
                ),
            )
            await repository.place(
                session,
                household_id,
                from_code=row.from_code,
                commune=commune,
                village=code if LEVEL_OF[len(code)] is Level.VILLAGE else None,
                by=caller.subject,
                at=clock.now(),
            )
            await audit.record(
                session,
                f"households/{household_id}",
                before={"area_code": row.from_code},
                after={"area_code": commune, "code": code},
                reason=given.reason,
            )
    return PlacementsOut(
        placements=[
            PlacedOut(
                household_id=placement.household_id,
                placed=details[placement.household_id] is None,
                detail=details[placement.household_id],
            )
            for placement in given.placements
        ]
    )
