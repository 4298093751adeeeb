"""Made-up figures, and judgements of them, for the tests of methods."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import MethodDocument
from services.triggers.methods.price_spike.series import month_after
from services.triggers.methods.registry import method_of


def daily(
    values: Iterable[float | None],
    *,
    first_on: date,
    place: str | None = "Kratie",
    area: str = "10",
    source: str = "MRC",
) -> list[Figure]:
    """A figure for each day from the first; None: no figure at all."""
    return [
        Figure(area, place, source, day, day, value)
        for day, value in ((first_on + timedelta(days=n), v) for n, v in enumerate(values))
        if value is not None
    ]


def monthly(
    values: Iterable[float | None],
    *,
    first_month: date,
    place: str | None = None,
    area: str = "KH",
    source: str = "NIS",
) -> list[Figure]:
    """A figure for each month from the first, published when the month has ended."""
    months = ((month_after(first_month, months=n), value) for n, value in enumerate(values))
    return [
        Figure(area, place, source, month, month_after(month, months=1), value)
        for month, value in months
        if value is not None
    ]


def day_of(day: date) -> Period:
    return Period(first_on=day, last_on=day)


def month_of(month: date) -> Period:
    return Period(
        first_on=month.replace(day=1),
        last_on=month.replace(day=monthrange(month.year, month.month)[1]),
    )


def judged(
    figures: Sequence[Figure] | Figures,
    document: MethodDocument,
    period: Period,
    *,
    areas: Sequence[str] = ("KH",),
    forecast: bool = False,
) -> Judgement:
    """A period, judged by all of these figures."""
    method = method_of(document)
    known = figures if isinstance(figures, Figures) else Figures.of(figures, forecast=forecast)
    series = method.lay_out(known, document, areas=areas)
    return method.judge(series, document, period=period, areas=areas)
