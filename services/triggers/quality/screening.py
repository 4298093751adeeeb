"""Every check of figures that are posted, in the order in which a doubt says most."""

from collections.abc import Collection, Sequence

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
    """What is doubtful of `posted`, by position: by itself, and beside the others and the known."""
    alone = doubts_alone(posted, expects=expects)
    beside = doubts_beside(
        posted, known, expects=expects, forecast=forecast, doubted=frozenset(alone)
    )
    return alone | beside


def doubts_alone(posted: Sequence[PostedFigure], *, expects: Expectations) -> dict[int, Doubt]:
    """What is doubtful of each figure by itself, by position, whatever else is known."""
    doubts: dict[int, Doubt] = {}
    for position, figure in enumerate(posted):
        for doubt in beyond_bounds(figure, expects=expects):
            doubts.setdefault(position, doubt)
    return doubts


def doubts_beside(
    posted: Sequence[PostedFigure],
    known: Sequence[PostedFigure],
    *,
    expects: Expectations,
    forecast: bool = False,
    doubted: Collection[int] = (),
) -> dict[int, Doubt]:
    """What is doubtful of `posted` beside each other and what is known, by position.

    The order of both does not matter: of two that contradict each other the smaller stays. Those
    that are `doubted` are no ground for others. Forecasts are held against contradictions alone:
    their values may lie apart, and should.
    """
    order = sorted(
        (position for position in range(len(posted)) if position not in doubted),
        key=lambda position: posted[position].in_order,
    )
    figures = [posted[position] for position in order]
    known = sorted(known, key=lambda figure: figure.in_order)
    doubts = contradicting(figures, known)
    if not forecast:
        if expects.stuck_after is not None:
            doubts = stuck(figures, known, after=expects.stuck_after) | doubts
        if expects.by_factors:
            doubts |= off_their_series(figures, known, expects=expects, doubted=doubts)
    return {order[at]: doubt for at, doubt in sorted(doubts.items())}


def is_old(figure: PostedFigure, *, expects: Expectations) -> bool:
    """Whether a figure tells of a day long before it was published."""
    age_days = (figure.published_on - figure.observed_on).days
    return expects.reach_days is not None and age_days > expects.reach_days
