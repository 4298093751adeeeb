"""What of a batch is recorded, and what is doubtful by itself and set aside with its reason."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.doubtful import repository as doubtful
from services.triggers.doubtful.tables import DoubtDecision
from services.triggers.indicators.schemas import KINDS, IndicatorOut
from services.triggers.indicators.tables import Places
from services.triggers.observations import repository as observations
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import ObservationIn
from services.triggers.places import repository as places
from services.triggers.places.names import PlaceName, find_place, likeliest
from services.triggers.quality.doubt import Doubt, DoubtReason
from services.triggers.quality.figure import PostedFigure
from services.triggers.quality.screening import doubts_alone, is_old
from services.triggers.quality.units import brought_into
from shared.clock import Clock
from shared.contracts.events import ObservationsSetAside
from shared.events import publish
from shared.ids import new_id

UNRELEASABLE = frozenset({DoubtReason.PLACE_UNKNOWN, DoubtReason.UNIT_DIFFERS})
"""What no word of a person makes sound: nobody knows where, or in which unit, it is to be kept."""


@dataclass(frozen=True, kw_only=True)
class Sifted:
    """A batch, sifted."""

    sound: tuple[ObservationIn, ...]
    """As they are kept: in the indicator's unit, under the one names of their places."""
    doubted: dict[int, Doubt]
    """By the position of the row in the batch."""
    old: int
    """How many tell of a day long before they were published."""


async def sift(
    session: AsyncSession, indicator: IndicatorOut, rows: Sequence[ObservationIn]
) -> Sifted:
    """Tell what is doubtful by itself, whatever else is known. What a person released is sound."""
    expects = KINDS[indicator.kind].expects
    kept, doubts = await as_kept(session, indicator, rows)
    figures = [figure_of(row) for row in kept]
    alone = doubts_alone(figures, expects=expects)
    doubts = await _unreleased(session, indicator, rows, alone | doubts)
    return Sifted(
        sound=_once([row for position, row in enumerate(kept) if position not in doubts]),
        doubted=doubts,
        old=sum(
            is_old(figure, expects=expects)
            for position, figure in enumerate(figures)
            if position not in doubts
        ),
    )


async def set_aside(
    session: AsyncSession,
    indicator: IndicatorOut,
    rows: Sequence[ObservationIn],
    doubted: Mapping[int, Doubt],
    *,
    hands: Hands,
    clock: Clock,
) -> None:
    """Keep what is doubtful of a batch, and tell of it; a row that is kept already stays."""
    await keep_aside(
        session,
        indicator.code,
        [
            {
                "id": new_id(),
                "indicator_code": indicator.code,
                "digest": digest_of(rows[position]),
                "sequence": None,
                "posted": rows[position].as_posted(),
                "observed_on": rows[position].observed_on,
                "reason": doubt.reason,
                "says": doubt.says,
                "suggested_place": doubt.suggested_place,
                "set_aside_at": clock.now(),
                "posted_by": hands.posted_by,
                "published": hands.published,
                "approved_by": hands.approved_by,
            }
            for position, doubt in sorted(doubted.items())
        ],
        clock=clock,
    )


async def keep_aside(
    session: AsyncSession, indicator: str, rows: Sequence[dict[str, Any]], *, clock: Clock
) -> None:
    """Keep doubtful rows of an indicator, and tell of those that are new."""
    new = await doubtful.set_aside(session, rows)
    if new:
        fact = ObservationsSetAside(
            indicator=indicator,
            count=len(new),
            reasons={reason.value: count for reason, count in sorted(Counter(new).items())},
        )
        await publish(session, fact, clock=clock)


async def as_kept(
    session: AsyncSession, indicator: IndicatorOut, rows: Sequence[ObservationIn]
) -> tuple[list[ObservationIn], dict[int, Doubt]]:
    """The rows in the indicator's unit and under their places' names; and those that cannot be."""
    doubts: dict[int, Doubt] = {}
    kept = list(rows)
    names = await _names_for(session, indicator, rows)
    found: dict[tuple[str, str], PlaceName | None] = {}
    for position, row in enumerate(rows):
        if names is not None and row.place is not None:
            spelt = (row.area, row.place)
            if spelt not in found:
                found[spelt] = find_place(row.place, area=row.area, names=names)
            place = found[spelt]
            if place is None:
                doubts[position] = _unknown(row.place, area=row.area, names=names)
            elif place.name != row.place:
                kept[position] = kept[position].model_copy(update={"place": place.name})
        brought = in_unit(kept[position], unit=indicator.unit)
        if brought is None:
            doubts[position] = Doubt(
                reason=DoubtReason.UNIT_DIFFERS,
                says=f"It is in {row.unit}, and the indicator in {indicator.unit}. Reject "
                "it, and post it to an indicator of its own unit.",
            )
        kept[position] = brought or kept[position].brought(None)
    return kept, doubts


async def unheard(
    session: AsyncSession, indicator: IndicatorOut, rows: Sequence[ObservationIn]
) -> list[ObservationIn]:
    """The rows, as posted, that are neither recorded as they are nor were ever set aside."""
    if not rows:
        return []
    kept, _ = await as_kept(session, indicator, rows)
    known = await observations.known_as_they_are(session, indicator.code, kept)
    digests = [digest_of(row) for row in rows]
    aside = await doubtful.decisions(session, indicator.code, set(digests))
    return [
        row
        for position, row in enumerate(rows)
        if position not in known and digests[position] not in aside
    ]


def in_unit(row: ObservationIn, *, unit: str) -> ObservationIn | None:
    """A row in an indicator's unit, with what was said in another; None: it cannot be brought."""
    if row.unit is None:
        return row
    if row.unit == unit:
        return row.model_copy(update={"unit": None})
    if row.value is None:
        return row.brought(None)
    value = brought_into(row.value, said=row.unit, unit=unit)
    return None if value is None else row.brought(value)


async def kept_places(
    session: AsyncSession, indicator: IndicatorOut, spelt: Sequence[tuple[str, str | None]]
) -> list[str | None]:
    """The names under which figures of areas and places are kept; unknown ones as they are."""
    if indicator.places is Places.OPEN or not any(place for _, place in spelt):
        return [place for _, place in spelt]
    names = await places.all_names(session)
    kept: dict[tuple[str, str | None], str | None] = {}
    for area, place in set(spelt):
        found = None if place is None else find_place(place, area=area, names=names)
        kept[area, place] = place if found is None else found.name
    return [kept[each] for each in spelt]


def digest_of(row: ObservationIn) -> bytes:
    """What two postings of one row share."""
    return hashlib.sha256(orjson.dumps(row.as_posted(), option=orjson.OPT_SORT_KEYS)).digest()


async def _names_for(
    session: AsyncSession, indicator: IndicatorOut, rows: Sequence[ObservationIn]
) -> Sequence[PlaceName] | None:
    """Every name that is listed; None: the indicator's places are open, or no row has one."""
    if indicator.places is Places.OPEN or not any(row.place for row in rows):
        return None
    return await places.all_names(session)


def _unknown(name: str, *, area: str, names: Sequence[PlaceName]) -> Doubt:
    likely = likeliest(name, area=area, names=names)
    meant = "" if likely is None else f" Is {likely.name} ({likely.place_code}) meant?"
    return Doubt(
        reason=DoubtReason.PLACE_UNKNOWN,
        says=f"No listed place in area {area}, or more than one, goes by '{name}'.{meant}",
        suggested_place=None if likely is None else likely.place_code,
    )


async def _unreleased(
    session: AsyncSession,
    indicator: IndicatorOut,
    rows: Sequence[ObservationIn],
    doubts: Mapping[int, Doubt],
) -> dict[int, Doubt]:
    """The doubts without those about rows that a person released before."""
    if not doubts:
        return {}
    digests = {position: digest_of(rows[position]) for position in doubts}
    decided = await doubtful.decisions(session, indicator.code, set(digests.values()))
    return {
        position: doubt
        for position, doubt in doubts.items()
        if doubt.reason in UNRELEASABLE
        or decided.get(digests[position]) is not DoubtDecision.RELEASED
    }


def _once(rows: Sequence[ObservationIn]) -> tuple[ObservationIn, ...]:
    """The rows without repeats: two spellings may turn out to be one place.

    A figure counts before a word without one, and of two the smaller.
    """
    by_key: dict[tuple[object, ...], ObservationIn] = {}
    for row in rows:
        by_key[row.key] = min(by_key.get(row.key, row), row, key=_weight)
    return tuple(by_key.values())


def _weight(row: ObservationIn) -> tuple[bool, Decimal]:
    return (row.value is None, row.value or Decimal())


def figure_of(row: ObservationIn) -> PostedFigure:
    """What a check sees of a row, as it is kept."""
    return PostedFigure(
        area=row.area,
        place=row.place,
        source=row.source,
        observed_on=row.observed_on,
        published_on=row.published_on,
        value=None if row.value is None else float(row.value),
        issue=row.issue,
        member=row.member,
    )
