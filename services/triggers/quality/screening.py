"""Every check of figures that are posted, in the order in which a doubt says most."""

from collections.abc import Sequence

from services.triggers.quality.bounds import beyond_bounds
from services.triggers.quality.doubt import Doubt
from services.triggers.quality.expectations import Expectations
from services.triggers.quality.figure import PostedFigure
from services.triggers.quality.repeats import contradicting, stuck
from services.triggers.quality.series import off_their_series


def doubts_about(
    posted: Sequence[PostedFigure],
    known: Sequence[PostedFigure],
    *,
    expects: Expectations,
    forecast: bool = False,
) -> dict[int, Doubt]:
    """What is doubtful of `posted`, by position. The order of both does not matter to the reasons.

    Forecasts are held against bounds and days alone: their values may lie apart, and should.
    """
    doubts: dict[int, Doubt] = {}
    for position, figure in enumerate(posted):
        for doubt in beyond_bounds(figure, expects=expects):
            doubts.setdefault(position, doubt)
    for position, doubt in contradicting(posted, known).items():
        doubts.setdefault(position, doubt)
    if forecast:
        return doubts
    if expects.stuck_after is not None:
        for position, doubt in stuck(posted, known, after=expects.stuck_after).items():
            doubts.setdefault(position, doubt)
    if expects.by_factors:
        doubts |= off_their_series(posted, known, expects=expects, doubted=doubts)
    return doubts


def is_old(figure: PostedFigure, *, expects: Expectations) -> bool:
    """Whether a figure tells of a day long before it was published."""
    age_days = (figure.published_on - figure.observed_on).days
    return expects.reach_days is not None and age_days > expects.reach_days
