"""Figures that nothing else need be known to doubt: absurd numbers and absurd days."""

from collections.abc import Iterator
from datetime import timedelta

from services.triggers.areas import level_of
from services.triggers.quality.doubt import Doubt, DoubtReason
from services.triggers.quality.expectations import Expectations
from services.triggers.quality.figure import PostedFigure

FIRST_YEAR = 1900
LONGEST_FORECAST = timedelta(days=400)


def beyond_bounds(figure: PostedFigure, *, expects: Expectations) -> Iterator[Doubt]:
    """The doubts about one figure by itself."""
    if figure.observed_on.year < FIRST_YEAR or figure.published_on.year < FIRST_YEAR:
        yield Doubt(
            reason=DoubtReason.DAY_ABSURD,
            says=f"It is dated before {FIRST_YEAR}. Look at the year.",
        )
    elif figure.observed_on - figure.published_on > LONGEST_FORECAST:
        yield Doubt(
            reason=DoubtReason.DAY_ABSURD,
            says=f"It is about {figure.observed_on}, more than {LONGEST_FORECAST.days} days after "
            "it was published. Look at the year.",
        )
    if figure.value is None:
        return
    in_area = expects.most_in_area.get(level_of(figure.area))
    upper = [bound for bound in (expects.most, in_area) if bound is not None]
    if expects.least is not None and figure.value < expects.least:
        yield _out(figure.value, f"less than {expects.least:,.10g}, the least")
    elif upper and figure.value > min(upper):
        yield _out(figure.value, f"more than {min(upper):,.10g}, the most")


def _out(value: float, beyond: str) -> Doubt:
    return Doubt(
        reason=DoubtReason.OUT_OF_BOUNDS,
        says=f"{value:,.10g} is {beyond} that there can be of this kind there.",
    )
