"""Judging by a method from plain figures, as tests of methods that judge by day do."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Method

EVER = Period(first_on=date.min, last_on=date.max)


def judged(
    method: Method[Any, Any],
    document: Any,
    figures: Sequence[Figure],
    *,
    areas: Sequence[str] = ("KH",),
    known_on: date = date.max,
) -> list[Judgement]:
    """Every event, by what was known at the end of a day."""
    series = method.lay_out(Figures.of(figures).known_on(known_on), document, areas=areas)
    return [
        method.judge(series, document, period=period, areas=areas)
        for period in method.events(series, document, changed=EVER)
    ]


def judged_on(
    method: Method[Any, Any],
    document: Any,
    figures: Sequence[Figure],
    day: date,
    *,
    areas: Sequence[str] = ("KH",),
) -> Judgement:
    """One day, by all figures: of what lies after it nothing may be used."""
    period = Period(first_on=day, last_on=day)

    def judge(given: Sequence[Figure]) -> Judgement:
        series = method.lay_out(Figures.of(given), document, areas=areas)
        return method.judge(series, document, period=period, areas=areas)

    judgement = judge(figures)
    assert judge([figure for figure in figures if figure.observed_on <= day]) == judgement
    assert judge(list(reversed(figures))) == judgement
    return judgement


def days_after(day: date, days: int) -> date:
    return day + timedelta(days=days)
