"""Figures that say the same too often, and figures that do not say the same."""

from collections import defaultdict
from collections.abc import Collection, Sequence

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
    posted: Sequence[PostedFigure],
    known: Sequence[PostedFigure],
    *,
    vouched: Collection[int] = (),
) -> tuple[dict[int, Doubt], dict[int, Doubt]]:
    """The figures that contradict another: those posted and those known, by their positions.

    Said by the same authority of the same thing, published on the same day as the same issue. The
    smallest value stays, whichever came first; one that was known and is `vouched` for by a person
    stays before any. A word without a figure contradicts none.
    """
    said: dict[tuple[object, ...], list[tuple[bool, int, float]]] = defaultdict(list)
    for is_known, figures in ((True, known), (False, posted)):
        for position, figure in enumerate(figures):
            if figure.value is not None:
                said[figure.said_once].append((is_known, position, figure.value))
    doubts: dict[bool, dict[int, Doubt]] = {True: {}, False: {}}
    for values in said.values():
        trusted = [
            value for is_known, position, value in values if is_known and position in vouched
        ]
        stays = min(trusted or [value for *_, value in values])
        for is_known, position, value in values:
            if value != stays and not (is_known and position in vouched):
                figure = (known if is_known else posted)[position]
                doubts[is_known][position] = Doubt(
                    reason=DoubtReason.CONTRADICTION,
                    says=f"{figure.source} published {stays:.10g} for the same on the same day, "
                    f"and this says {value:.10g}: of two of one issue the smaller counts. A "
                    "correction is published later, or as a higher issue.",
                )
    return doubts[False], doubts[True]
