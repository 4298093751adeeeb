"""What a person decides about figures that were set aside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.doubtful import repository
from services.triggers.doubtful.tables import DoubtDecision, DoubtfulObservation
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import IndicatorOut
from services.triggers.observations import service as observations
from services.triggers.observations import sifting
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import ObservationIn
from services.triggers.places import service as places
from services.triggers.places.names import are_together, key_of
from services.triggers.quality.doubt import DoubtReason
from services.triggers.releases.schemas import (
    AliasOut,
    DoubtDecidedOut,
    DoubtfulOut,
    DoubtStatus,
)
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, NotFound, Problem, Unprocessable
from shared.pagination import Page, PageOf
from shared.values import STORED

MAXIMUM_NAMED = 5_000
"""Figures that one name of a place releases at once; the same call again releases the next."""


async def list_page(
    session: AsyncSession,
    page: Page,
    *,
    status: DoubtStatus,
    indicator: str | None,
    reason: DoubtReason | None,
    older_than_days: int | None,
    clock: Clock,
) -> PageOf[DoubtfulOut]:
    """A page of doubtful figures, oldest first."""
    rows = await repository.list_doubtful(
        session,
        decision=None if status is DoubtStatus.WAITING else DoubtDecision(status.value),
        indicator=indicator,
        reason=reason,
        set_aside_before=None
        if older_than_days is None
        else clock.now() - timedelta(days=older_than_days),
        after=page.after(UUID),
        limit=page.fetch_limit,
    )
    return page.of([_shown(row, clock=clock) for row in rows], key=lambda row: (row.id,))


async def get(session: AsyncSession, doubtful_id: UUID, *, clock: Clock) -> DoubtfulOut:
    """A doubtful figure; raises NotFound."""
    row = await repository.find(session, doubtful_id)
    if row is None:
        raise _not_found()
    return _shown(row, clock=clock)


async def decide(
    session: AsyncSession,
    doubtful_id: UUID,
    decision: DoubtDecision,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> DoubtfulOut:
    """Release or reject one; raises NotFound, Forbidden or Conflict where it cannot be."""
    refusals = await _decide(
        session, [doubtful_id], decision, reason=reason, caller=caller, clock=clock
    )
    if refusals:
        raise refusals[doubtful_id]
    return await get(session, doubtful_id, clock=clock)


async def decide_each(
    session: AsyncSession,
    doubtful_ids: Sequence[UUID],
    decision: DoubtDecision,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> list[DoubtDecidedOut]:
    """Decide several; one that cannot be decided says why, and the others are."""
    refusals = await _decide(
        session, doubtful_ids, decision, reason=reason, caller=caller, clock=clock
    )
    return [
        DoubtDecidedOut(
            doubtful_id=doubtful_id,
            decided=doubtful_id not in refusals,
            detail=refusals[doubtful_id].detail if doubtful_id in refusals else None,
        )
        for doubtful_id in doubtful_ids
    ]


async def add_alias(
    session: AsyncSession, code: str, name: str, *, caller: Caller, clock: Clock
) -> AliasOut:
    """Let a place go by a name, and record the figures that waited for it.

    They are looked at anew, and held against their series when they are judged; what the caller
    posted waits on.
    Raises NotFound, and Conflict where another place goes by the name.
    """
    _require_person(caller)
    key = key_of(name)
    if not key:
        raise Unprocessable("The name has no letter and no digit. Write the name.")
    place = await places.find(session, code)
    await places.name(session, place, [name], caller=caller, clock=clock)
    spellings = [
        spelling
        for spelling in await repository.unplaced_spellings(session)
        if key_of(spelling) == key
    ]
    waiting = [
        row
        for row in await repository.lock_unplaced(session, spellings, limit=MAXIMUM_NAMED)
        if are_together(row.posted["area"], place.area_code)
    ]
    released = 0
    for batch in _batches([row for row in waiting if row.posted_by != caller.subject]):
        indicator = await indicators.get(session, batch[0].indicator_code)
        rows = [_row(doubtful) for doubtful in batch]
        sifted = await sifting.sift(session, indicator, rows)
        for position, doubt in sifted.doubted.items():
            await repository.doubt_anew(
                session, batch[position].id, reason=doubt.reason, says=doubt.says
            )
        named = [row for position, row in enumerate(batch) if position not in sifted.doubted]
        at = await indicators.known_from(session, indicator.code, clock=clock)
        await observations.record_released(
            session, indicator, sifted.sound, recorded_at=at, hands=_hands(batch[0]), clock=clock
        )
        await repository.decide(
            session,
            [row.id for row in named],
            DoubtDecision.RELEASED,
            by=caller.subject,
            at=at,
            reason=f"'{name}' is {place.name}.",
        )
        released += len(named)
    return AliasOut(
        place=await places.get(session, code),
        released=released,
        doubtful=len(waiting) - released,
    )


async def _decide(
    session: AsyncSession,
    ids: Collection[UUID],
    decision: DoubtDecision,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> dict[UUID, Problem]:
    """Decide what can be decided; why each of the others cannot."""
    _require_person(caller)
    locked = await repository.lock(session, set(ids))
    refusals: dict[UUID, Problem] = {
        doubtful_id: _not_found() for doubtful_id in set(ids) - {row.id for row in locked}
    }
    for row in locked:
        refusal = _refusal(row, decision, caller=caller)
        if refusal is not None:
            refusals[row.id] = refusal
    decidable = [row for row in locked if row.id not in refusals]
    if decision is DoubtDecision.RELEASED:
        for batch in _batches(decidable):
            refusals |= await _release(
                session, batch, reason=reason, by=caller.subject, clock=clock
            )
        return refusals
    await repository.decide(
        session,
        [row.id for row in decidable],
        decision,
        by=caller.subject,
        at=clock.now(),
        reason=reason,
    )
    return refusals


async def _release(
    session: AsyncSession,
    batch: Sequence[DoubtfulObservation],
    *,
    reason: str,
    by: str,
    clock: Clock,
) -> Mapping[UUID, Problem]:
    """Let figures that were posted by the same hands count; why each of the others cannot.

    What was recorded before counts again, later than whatever was judged. What was not is recorded
    now; and once more, as a further issue, what contradicts another of the same day.
    """
    indicator = await indicators.get(session, batch[0].indicator_code)
    at = await indicators.known_from(session, indicator.code, clock=clock)
    unrecorded = [
        row for row in batch if row.sequence is None or row.reason is DoubtReason.CONTRADICTION
    ]
    refusals = await _record(session, indicator, unrecorded, at=at, by=by, clock=clock)
    released = [row.id for row in batch if row.id not in refusals]
    await repository.decide(session, released, DoubtDecision.RELEASED, by=by, at=at, reason=reason)
    if released:
        await indicators.judge_recorded(session, indicator.code, recorded_at=at)
    return refusals


async def _record(
    session: AsyncSession,
    indicator: IndicatorOut,
    batch: Sequence[DoubtfulObservation],
    *,
    at: datetime,
    by: str,
    clock: Clock,
) -> Mapping[UUID, Problem]:
    """Record figures that were posted by the same hands; why each of the others cannot be."""
    kept, doubts = await sifting.as_kept(session, indicator, [_row(row) for row in batch])
    refusals: dict[UUID, Problem] = {
        batch[position].id: Conflict(_unreleasable(doubt.reason, doubt.says))
        for position, doubt in doubts.items()
    }
    # One after the other where they are about the same: each is a revision.
    rounds: list[list[ObservationIn]] = []
    taken: list[set[tuple[object, ...]]] = []
    for position, row in enumerate(kept):
        if position in doubts:
            continue
        key = row.key
        turn = next((turn for turn, keys in enumerate(taken) if key not in keys), len(taken))
        if turn == len(taken):
            rounds.append([])
            taken.append(set())
        rounds[turn].append(row)
        taken[turn].add(key)
    for rows in rounds:
        await observations.record_released(
            session,
            indicator,
            rows,
            recorded_at=at,
            hands=_hands(batch[0], released_by=by),
            clock=clock,
        )
    return refusals


def _batches(rows: Sequence[DoubtfulObservation]) -> list[list[DoubtfulObservation]]:
    """Those of one indicator that were posted by the same hands."""

    def by_hands(row: DoubtfulObservation) -> tuple[str, str, bool, str]:
        return (row.indicator_code, row.posted_by, row.published, row.approved_by or "")

    return [list(batch) for _, batch in groupby(sorted(rows, key=by_hands), key=by_hands)]


def _hands(row: DoubtfulObservation, *, released_by: str | None = None) -> Hands:
    return Hands(
        posted_by=row.posted_by,
        published=row.published,
        approved_by=released_by or row.approved_by,
        released=released_by is not None,
    )


def _row(doubtful: DoubtfulObservation) -> ObservationIn:
    return ObservationIn.model_validate(doubtful.posted, context=STORED)


def _refusal(
    row: DoubtfulObservation, decision: DoubtDecision, *, caller: Caller
) -> Problem | None:
    if row.decision is not None:
        return Conflict(f"It was {row.decision} by {row.decided_by}: {row.decision_reason}")
    if decision is DoubtDecision.RELEASED and row.posted_by == caller.subject:
        return Conflict(
            "Whoever posted a figure does not release it. Ask a second person to, or reject it."
        )
    return None


def _unreleasable(reason: DoubtReason, says: str) -> str:
    if reason is DoubtReason.PLACE_UNKNOWN:
        return (
            f"{says} Say which place it is with POST /v1/places/{{code}}/aliases, which releases "
            "it, or reject it."
        )
    return says


def _require_person(caller: Caller) -> None:
    if not caller.is_person:
        raise Forbidden("A program does not decide what is doubtful. Ask a person to.")


def _not_found() -> NotFound:
    return NotFound(
        "There is no such doubtful figure. GET /v1/doubtful-observations lists what waits."
    )


def _shown(row: DoubtfulObservation, *, clock: Clock) -> DoubtfulOut:
    return DoubtfulOut(
        id=row.id,
        indicator=row.indicator_code,
        status=DoubtStatus.WAITING if row.decision is None else DoubtStatus(row.decision.value),
        reason=row.reason,
        says=row.says,
        suggested_place=row.suggested_place,
        observed_on=row.observed_on,
        posted=row.posted,
        sequence=row.sequence,
        set_aside_at=row.set_aside_at,
        age_days=max((clock.now() - row.set_aside_at).days, 0),
        posted_by=row.posted_by,
        published=row.published,
        approved_by=row.approved_by,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
    )
