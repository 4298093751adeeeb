"""Recording what was read: what is new, by batches; a row that is refused concerns itself alone."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Protocol

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.checks.service import AreasChecked, Checks
from services.triggers.feeds import repository
from services.triggers.feeds.formats.reading import Reading, Row, Setting, Unreadable, told
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import IndicatorOut
from services.triggers.observations.schemas import ObservationIn, ObservationsIn, RecordedOut
from services.triggers.observations.sifting import kept_places
from services.triggers.quality.units import brought_into
from shared.database import Database
from shared.errors import Conflict, NotFound, Problem, Unprocessable
from shared.liveness import goes_on

_BATCH_ROWS = 1_000
_POINTER = re.compile(r"/body/observations/([0-9]+)(?:/|$)")

_Observed = tuple[Row, ObservationIn]


@dataclass(kw_only=True)
class Recorded:
    """What became of the rows of a reading."""

    recorded: int = 0
    unchanged: int = 0
    set_aside: int = 0
    refused: list[Unreadable] = field(default_factory=list)


class Keep(Protocol):
    """What is done with a batch of new figures; raises Conflict or Unprocessable as posting does.

    None: nothing is saved yet, because a second person is asked first.
    """

    async def __call__(
        self, session: AsyncSession, body: ObservationsIn, *, areas: AreasChecked
    ) -> RecordedOut | None: ...


async def record(
    database: Database, reading: Reading, setting: Setting, *, keep: Keep, checks: Checks
) -> Recorded:
    """Keep what is new of a reading, each batch in a transaction of its own.

    What was saved before an interruption is known when the same is read again.
    """
    done = Recorded(refused=list(reading.refused))
    in_order = sorted(reading.rows, key=lambda row: row.indicator)
    for code, rows in groupby(in_order, key=lambda row: row.indicator):
        for batch in batches(list(rows)):
            areas = await checks.of_observations({row.area for row in batch})
            async with database.transaction() as session:
                new = await _new(session, code, batch, setting, done)
                if new is not None and new[1]:
                    indicator, observed = new
                    await _save(session, indicator, observed, areas, done, keep=keep)
            goes_on()
    return done


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of one indicator in batches that hold each thing once: its revisions follow later.

    So a file that tells a figure and its correction brings both, in the order of publication. Of
    two that contradict each other the smaller comes first, so that the other is never judged by.
    """
    waves: dict[int, list[Row]] = {}
    told_before: Counter[tuple[object, ...]] = Counter()
    for row in sorted(rows, key=_in_order):
        thing = (row.area, row.place, row.source, row.observed_on, row.member)
        waves.setdefault(told_before[thing], []).append(row)
        told_before[thing] += 1
    for wave in waves.values():
        for first in range(0, len(wave), _BATCH_ROWS):
            yield wave[first : first + _BATCH_ROWS]


def _in_order(row: Row) -> tuple[object, ...]:
    return (row.published_on, row.issue, row.value is None, row.value or 0)


async def _new(
    session: AsyncSession, code: str, batch: Sequence[Row], setting: Setting, done: Recorded
) -> tuple[IndicatorOut, list[_Observed]] | None:
    """The rows that say something new, as they are posted; None where there is no indicator."""
    try:
        indicator = await indicators.get(session, code)
    except NotFound:
        done.refused += [Unreadable(row.where, f"No indicator '{code}'.") for row in batch]
        return None
    places = await kept_places(session, indicator, [(row.area, row.place) for row in batch])
    known = await repository.known(session, code, batch, places=places, forecast=indicator.forecast)
    observed: list[_Observed] = []
    for position, row in enumerate(batch):
        before = known.get(position)
        if before is not None and not row.publication_is_stated:
            was = _in_unit(before.value, before.unit, indicator)
            if was == _in_unit(row.value, row.unit, indicator):
                done.unchanged += 1
                continue
            # A figure that changed was published when we see it, not when the first one was; and
            # a second time on a day, where it changes twice.
            again = before.published_on == setting.on
            row = row._replace(
                published_on=setting.on, issue=before.issue + 1 if again else row.issue
            )
        try:
            observed.append((row, _observation(row, indicator)))
        except ValidationError as error:
            done.refused.append(Unreadable(row.where, told(error)))
    return indicator, observed


def _in_unit(value: Decimal | None, said: str | None, indicator: IndicatorOut) -> Decimal | None:
    """A value in the indicator's unit; as it was said where it cannot be brought into that."""
    if value is None or said is None:
        return value
    brought = brought_into(value, said=said, unit=indicator.unit)
    return value if brought is None else brought


def _observation(row: Row, indicator: IndicatorOut) -> ObservationIn:
    """A row as POST /v1/observations takes it; raises ValidationError."""
    return ObservationIn(
        area=row.area,
        place=row.place,
        source=row.source,
        observed_on=row.observed_on,
        published_on=row.published_on,
        value=row.value,
        issue=row.issue,
        member=row.member,
        details=None if row.details is None else dict(row.details),
        unit=None if row.unit == indicator.unit else row.unit,
    )


async def _save(
    session: AsyncSession,
    indicator: IndicatorOut,
    observed: list[_Observed],
    areas: AreasChecked,
    done: Recorded,
    *,
    keep: Keep,
) -> None:
    """Post rows of one indicator; those that are refused are set aside with their reasons, and the
    rest again.

    Each time some are set aside, so it ends.
    """
    while observed:
        body = ObservationsIn(
            indicator=indicator.code,
            unit=indicator.unit,
            observations=[observation for _, observation in observed],
        )
        try:
            async with session.begin_nested():
                saved = await keep(session, body, areas=areas)
        except (Conflict, Unprocessable) as problem:
            reasons = _reasons(problem)
            for position, (row, _) in enumerate(observed):
                if not reasons or position in reasons:
                    reason = reasons.get(position, problem.detail)
                    done.refused.append(Unreadable(row.where, reason))
            observed = [
                pair
                for position, pair in enumerate(observed)
                if reasons and position not in reasons
            ]
            continue
        if saved is not None:
            done.recorded += saved.recorded
            done.unchanged += saved.unchanged
            done.set_aside += saved.set_aside
        return


def _reasons(problem: Problem) -> dict[int, str]:
    """What is wrong with which rows; empty: with the batch as a whole."""
    reasons: dict[int, str] = {}
    for error in problem.extensions.get("errors", []):
        found = _POINTER.match(error["pointer"])
        if found:
            position = int(found[1])
            reasons[position] = " ".join(filter(None, [reasons.get(position), error["detail"]]))
    return reasons
