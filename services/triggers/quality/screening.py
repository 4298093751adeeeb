"""Every check of figures that are posted, in the order in which a doubt says most."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.triggers.quality.bounds import beyond_bounds
from services.triggers.quality.doubt import Doubt, DoubtReason
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
    return alone | beside.posted


def doubts_alone(posted: Sequence[PostedFigure], *, expects: Expectations) -> dict[int, Doubt]:
    """What is doubtful of each figure by itself, by position, whatever else is known."""
    doubts: dict[int, Doubt] = {}
    for position, figure in enumerate(posted):
        for doubt in beyond_bounds(figure, expects=expects):
            doubts.setdefault(position, doubt)
    return doubts


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is doubtful of figures beside each other, by position."""

    posted: dict[int, Doubt]
    known: dict[int, Doubt]
    """Of those that were known: what contradicts a figure that stays."""


def doubts_beside(
    posted: Sequence[PostedFigure],
    known: Sequence[PostedFigure],
    *,
    expects: Expectations,
    forecast: bool = False,
    doubted: Collection[int] = (),
    vouched: Collection[int] = (),
) -> Beside:
    """What is doubtful of `posted` beside each other and what is known.

    The order of both does not matter, nor which came first of two that contradict each other: the
    smaller stays, if it is not doubtful for another reason. Those posted that are `doubted` are no
    ground for others; those known that are `vouched` for by a person stay. Forecasts are held
    against contradictions alone: their values may lie apart, and should.
    """
    order = sorted(
        (position for position in range(len(posted)) if position not in doubted),
        key=lambda position: posted[position].in_order,
    )
    known_order = sorted(range(len(known)), key=lambda position: known[position].in_order)
    figures = [posted[position] for position in order]
    before = [known[position] for position in known_order]
    trusted = {at for at, position in enumerate(known_order) if position in vouched}
    unfit: dict[int, Doubt] = {}
    while True:
        kept = [at for at in range(len(figures)) if at not in unfit]
        against, taken_back = contradicting([figures[at] for at in kept], before, vouched=trusted)
        doubts = unfit | {kept[at]: doubt for at, doubt in against.items()}
        if forecast:
            break
        ground = [figure for at, figure in enumerate(before) if at not in taken_back]
        if expects.stuck_after is not None:
            doubts = stuck(figures, ground, after=expects.stuck_after) | doubts
        if expects.by_factors:
            doubts |= off_their_series(figures, ground, expects=expects, doubted=doubts)
        # One for whose sake another would be set aside has to be sound itself.
        said = {before[at].said_once for at in taken_back}
        said |= {figures[kept[at]].said_once for at in against}
        more = {
            at: doubt
            for at, doubt in doubts.items()
            if at not in unfit
            and doubt.reason is not DoubtReason.CONTRADICTION
            and figures[at].said_once in said
        }
        if not more:
            break
        unfit |= more
    return Beside(
        posted={order[at]: doubt for at, doubt in sorted(doubts.items())},
        known={known_order[at]: doubt for at, doubt in sorted(taken_back.items())},
    )


def is_old(figure: PostedFigure, *, expects: Expectations) -> bool:
    """Whether a figure tells of a day long before it was published."""
    age_days = (figure.published_on - figure.observed_on).days
    return expects.reach_days is not None and age_days > expects.reach_days
