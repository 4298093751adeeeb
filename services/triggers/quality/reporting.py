"""Who reports, who has fallen silent, and which periods nobody told of: absent is not calm."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import NamedTuple

PERIODS = 12
"""Whoever reported in the last so many is expected to."""


class Every(StrEnum):
    """How often figures come, as their days show."""

    DAY = "day"
    DEKAD = "dekad"
    MONTH = "month"


class Reporter(NamedTuple):
    """A place, or an area as a whole."""

    area: str
    place: str | None


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Periods in a row of which one that is expected said nothing, by their first days."""

    reporter: Reporter
    first_on: date
    last_on: date
    periods: int


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What is there of the latest periods, and what is not."""

    every: Every | None
    """None: whenever something happens, or too little is there to tell."""
    last_on: date | None
    expected: int
    reporting: int
    """Of those expected, how many have a figure of the latest period."""
    silent: tuple[Reporter, ...]
    gaps: tuple[Gap, ...]
    periods_without_any: int
    """Whole periods that ended before today since the latest figure."""


def reporting_of(figures: Iterable[tuple[Reporter, date]], *, today: date) -> Reporting:
    """What the days of an indicator's figures say, as of a day; those without a value left out."""
    days: dict[Reporter, set[date]] = defaultdict(set)
    for reporter, day in figures:
        days[reporter].add(day)
    everything = sorted(set().union(*days.values())) if days else []
    if not everything:
        return Reporting(
            every=None,
            last_on=None,
            expected=0,
            reporting=0,
            silent=(),
            gaps=(),
            periods_without_any=0,
        )
    every = _every(everything)
    last_on = everything[-1]
    if every is None:
        return Reporting(
            every=None,
            last_on=last_on,
            expected=len(days),
            reporting=sum(last_on in told for told in days.values()),
            silent=(),
            gaps=(),
            periods_without_any=0,
        )
    latest = _period(last_on, every)
    told = {
        reporter: {_period(day, every) for day in of_reporter}
        for reporter, of_reporter in sorted(days.items(), key=lambda item: _named(item[0]))
    }
    expected = {
        reporter: periods for reporter, periods in told.items() if max(periods) > latest - PERIODS
    }
    return Reporting(
        every=every,
        last_on=last_on,
        expected=len(expected),
        reporting=sum(latest in periods for periods in expected.values()),
        silent=tuple(reporter for reporter, periods in expected.items() if latest not in periods),
        gaps=tuple(
            gap
            for reporter, periods in expected.items()
            for gap in _gaps(reporter, periods, latest=latest, every=every)
        ),
        periods_without_any=max(_period(today, every) - latest - 1, 0),
    )


def _named(reporter: Reporter) -> tuple[str, str]:
    return (reporter.area, reporter.place or "")


def _every(days: Sequence[date]) -> Every | None:
    gaps = [(after - before).days for before, after in pairwise(days)]
    if len(gaps) < 2:
        return None
    usual = median(gaps)
    if all(day.day == 1 for day in days) and usual >= 28:
        return Every.MONTH
    if all(day.day in (1, 11, 21) for day in days):
        return Every.DEKAD
    return Every.DAY if usual == 1 else None


def _period(day: date, every: Every) -> int:
    """Which period a day lies in, counted on from some beginning."""
    if every is Every.DAY:
        return day.toordinal()
    month = day.year * 12 + day.month - 1
    if every is Every.MONTH:
        return month
    return month * 3 + min((day.day - 1) // 10, 2)


def _first_day(period: int, every: Every) -> date:
    if every is Every.DAY:
        return date.fromordinal(period)
    month, dekad = (period, 0) if every is Every.MONTH else divmod(period, 3)
    return date(month // 12, month % 12 + 1, 1) + timedelta(days=10 * dekad)


def _gaps(reporter: Reporter, periods: set[int], *, latest: int, every: Every) -> Iterator[Gap]:
    """The gaps of the last periods, from the reporter's first figure on."""
    first = max(min(periods), latest - PERIODS + 1)
    missing = [period for period in range(first, latest + 1) if period not in periods]
    begin = 0
    for position, period in enumerate(missing):
        if position + 1 == len(missing) or missing[position + 1] != period + 1:
            yield Gap(
                reporter=reporter,
                first_on=_first_day(missing[begin], every),
                last_on=_first_day(period, every),
                periods=position - begin + 1,
            )
            begin = position + 1
