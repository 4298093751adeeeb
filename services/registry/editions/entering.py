"""An edition comes into force, as two persons wanted it.

Everything of it happens in one transaction that nobody who enrols or registers shares: areas,
changes, where households stand, what is still to be enrolled.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import repository as areas
from services.registry.areas.tables import Level
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.editions import repository
from services.registry.editions.comparing import (
    DIGITS,
    Names,
    lead,
    moves_of,
    step,
)
from services.registry.editions.inheriting import records_of
from services.registry.editions.looking import Looked, get_draft, look, require_sound, still_open
from services.registry.editions.reading import ReadEdition
from shared.approvals import Approval
from shared.clock import Clock
from shared.contracts.events import GazetteerChanged
from shared.errors import Conflict
from shared.events import publish
from shared.version import API_PREFIX

_COMMUNE_DIGITS = DIGITS[Level.COMMUNE]


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Put an edition in force as two persons wanted it; raises Conflict."""
    code = str(proposal.document["edition"])
    await areas.have_fence(session)
    edition = await get_draft(session, code)
    if (edition.digest or b"").hex() != proposal.document["digest"]:
        raise Conflict(
            "The draft was replaced since this was proposed. Decline it, and propose the edition "
            "as it is now."
        )
    await repository.close_placed(session)
    looked = await look(session, edition)
    require_sound(looked)
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
    looked: Looked,
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
        if (still := still_open(choices, moves, read)) != choices
    }
    await repository.narrow(session, code, narrowed, at=now)
    await _replan(session, looked, number=number)
    await publish(session, _told(code, looked, number=number), clock=clock)


def _told(code: str, looked: Looked, *, number: int) -> GazetteerChanged:
    """What whoever keeps codes of areas has to know: codes and counts, and of no household."""
    moves, ended = looked.comparison.moves, looked.comparison.ended
    begun = sorted(looked.read.areas.keys() - looked.known.keys())
    touched = {*ended, *begun, *moves, *(to for several in moves.values() for to in several)}
    return GazetteerChanged(
        edition=code,
        number=number,
        ended_count=len(ended),
        begun_count=len(begun),
        moved_count=len(moves),
        ended=[code for code in sorted(ended) if _is_listed(code)],
        begun=[code for code in begun if _is_listed(code)],
        moved={code: list(moves[code]) for code in sorted(moves) if _is_listed(code)},
        areas=sorted({code[: DIGITS[Level.DISTRICT]] for code in touched}),
    )


def _is_listed(code: str) -> bool:
    return len(code) <= _COMMUNE_DIGITS


async def _replan(session: AsyncSession, looked: Looked, *, number: int) -> None:
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
