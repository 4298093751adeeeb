"""Holding what was recorded against its series, when it is judged and not when it arrives.

What was recorded until the end of a day is looked at together, beside what was known and not
doubted before: the order in which it came, and in which batches, decides nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.doubtful import repository as doubtful
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import KINDS, IndicatorOut
from services.triggers.observations import repository
from services.triggers.observations.schemas import ObservationIn
from services.triggers.observations.sifting import figure_of, keep_aside
from services.triggers.quality.doubt import Doubt
from services.triggers.quality.figure import PostedFigure
from services.triggers.quality.screening import doubts_beside
from shared.clock import Clock
from shared.ids import new_id
from shared.values import STORED


async def screen(
    session: AsyncSession,
    after: Mapping[str, datetime | None],
    *,
    until: datetime,
    clock: Clock,
) -> None:
    """Set aside what is doubtful of what was recorded until an instant; of each indicator, since.

    Each day by itself, so that it comes out the same however late it is done. The indicators are
    this transaction's alone until it ends.
    """
    rows = await repository.unscreened(session, after, until=until)
    for code, of_indicator in groupby(rows, key=lambda row: str(row.indicator)):
        indicator = await indicators.get(session, code)
        before = after[code]
        for ends_at, of_day in groupby(
            of_indicator, key=lambda row: indicators.end_of_day(row.recorded_at)
        ):
            known_at = min(ends_at, until)
            await _screen(session, indicator, list(of_day), before=before, at=known_at, clock=clock)
            before = known_at


async def would_set_aside(
    session: AsyncSession, code: str, *, until: datetime, clock: Clock
) -> Sequence[int]:
    """What `screen` would set aside by an instant, by sequence; nothing of it is kept, or held."""
    attempt = await session.begin_nested()
    after = await indicators.screened_until(session, code)
    await screen(session, {code: after}, until=until, clock=clock)
    found = await doubtful.set_aside_since(session, code, after=after)
    await attempt.rollback()
    return found


async def doubtful_now(
    session: AsyncSession, indicator: IndicatorOut, rows: Sequence[ObservationIn], *, clock: Clock
) -> int:
    """How many of these rows would be set aside beside everything that is recorded by now."""
    if not rows:
        return 0
    now = clock.now()
    figures = [figure_of(row) for row in rows]
    found = await _doubts(session, indicator, figures, before=now, known_at=now)
    return len(found.posted)


async def _screen(
    session: AsyncSession,
    indicator: IndicatorOut,
    rows: Sequence[Row[Any]],
    *,
    before: datetime | None,
    at: datetime,
    clock: Clock,
) -> None:
    figures = [figure_of(_as_posted(row)) for row in rows]
    found = await _doubts(session, indicator, figures, before=before, known_at=at)
    # What was judged before, and is taken back now, is doubtful from now on and not for then.
    before_now = await repository.by_sequence(session, found.known) if found.known else []
    doubted = [
        *((rows[position], doubt) for position, doubt in found.posted.items()),
        *((row, found.known[row.sequence]) for row in before_now),
    ]
    await keep_aside(
        session,
        indicator.code,
        [
            {
                "id": new_id(),
                "indicator_code": indicator.code,
                "digest": None,
                "sequence": row.sequence,
                "posted": _as_posted(row).as_posted(),
                "observed_on": row.observed_on,
                "reason": doubt.reason,
                "says": doubt.says,
                "suggested_place": None,
                "set_aside_at": at,
                "posted_by": row.posted_by,
                "published": row.published,
                "approved_by": row.approved_by,
            }
            for row, doubt in doubted
        ],
        clock=clock,
    )


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What is doubtful of rows, by their positions, and of what was known, by sequence."""

    posted: dict[int, Doubt]
    known: dict[int, Doubt]


async def _doubts(
    session: AsyncSession,
    indicator: IndicatorOut,
    figures: Sequence[PostedFigure],
    *,
    before: datetime | None,
    known_at: datetime,
) -> _Found:
    expects = KINDS[indicator.kind].expects
    looks_back = timedelta(days=expects.looks_back_days)
    known = await doubtful.known_figures(
        session,
        indicator.code,
        first_on=_shifted(min(figure.observed_on for figure in figures), -looks_back),
        last_on=_shifted(max(figure.observed_on for figure in figures), looks_back),
        published={figure.published_on for figure in figures} if indicator.forecast else None,
        before=before,
        known_at=known_at,
    )
    # A long history takes a while, and nothing else may wait for it.
    beside = await asyncio.to_thread(
        partial(
            doubts_beside,
            figures,
            [each.figure for each in known],
            expects=expects,
            forecast=indicator.forecast,
            vouched={position for position, each in enumerate(known) if each.is_vouched},
        )
    )
    return _Found(
        posted=beside.posted,
        known={known[position].sequence: doubt for position, doubt in beside.known.items()},
    )


def _as_posted(row: Row[Any]) -> ObservationIn:
    """A recorded row, in the form in which rows are posted."""
    fields = ("area", "place", "source", "observed_on", "published_on", "issue", "member")
    value = None if row.value is None else f"{row.value.normalize():f}"
    return ObservationIn.model_validate(
        {field: getattr(row, field) for field in fields} | {"value": value, "details": row.details},
        context=STORED,
    )


def _shifted(day: date, by: timedelta) -> date:
    """A day so much earlier or later, within the calendar."""
    return date.fromordinal(
        min(max(day.toordinal() + by.days, date.min.toordinal()), date.max.toordinal())
    )
