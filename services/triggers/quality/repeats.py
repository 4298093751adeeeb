"""Figures that say the same too often, and figures that do not say the same."""

from collections import defaultdict
from collections.abc import Sequence

from services.triggers.quality.doubt import Doubt, DoubtReason
from services.triggers.quality.figure import PostedFigure


def stuck(
    posted: Sequence[PostedFigure], known: Sequence[PostedFigure], *, after: int
) -> dict[int, Doubt]:
    """The figures, by their positions, that are the `after`-th equal value in a row, or a later.

    Zero is left out: it rains nothing for weeks.
    """
    series: dict[tuple[str, str | None, str], dict[int, tuple[float, list[int]]]]
    series = defaultdict(dict)
    for position, figure in (
        *((-1, figure) for figure in known),
        *enumerate(posted),
    ):
        if figure.value is not None:
            days = series[figure.series]
            day = figure.observed_on.toordinal()
            positions = days[day][1] if day in days else []
            days[day] = (figure.value, positions if position < 0 else [*positions, position])
    doubts: dict[int, Doubt] = {}
    for days in series.values():
        run, before = 0, None
        for day in sorted(days):
            value, positions = days[day]
            run = run + 1 if value == before else 1
            before = value
            if run >= after and value != 0:
                for position in positions:
                    doubts[position] = Doubt(
                        reason=DoubtReason.STUCK,
                        says=f"With it, {run} values in a row are exactly {value:.10g}. See "
                        "whether the gauge hangs.",
                    )
    return doubts


def contradicting(
    posted: Sequence[PostedFigure], known: Sequence[PostedFigure]
) -> dict[int, Doubt]:
    """The figures, by their positions, that contradict what was said before.

    It was said by the same authority of the same thing, published on the same day as the same
    issue. That a figure follows a word without one is no contradiction.
    """
    said: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for figure in known:
        if figure.value is not None:
            said[figure.said_once].append(figure.value)
    doubts: dict[int, Doubt] = {}
    for position, figure in enumerate(posted):
        if figure.value is None:
            continue
        before = said[figure.said_once]
        if before and figure.value not in before:
            doubts[position] = Doubt(
                reason=DoubtReason.CONTRADICTION,
                says=f"{figure.source} published {before[-1]:.10g} for the same on the same day, "
                f"and this says {figure.value:.10g}. A correction is published later.",
            )
        else:
            before.append(figure.value)
    return doubts
