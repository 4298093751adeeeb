"""Figures held against their own series, and against what other places report on the same day.

Spreads are robust: the median of absolute changes, brought to a standard deviation. One walk
through the days, oldest first, in which a figure that is doubtful is no ground for a later one.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, pairwise
from math import log, sqrt
from statistics import median

from services.triggers.quality.doubt import Doubt, DoubtReason
from services.triggers.quality.expectations import Expectations
from services.triggers.quality.figure import PostedFigure
from services.triggers.quality.slips import LEAST_SLIP, slip_of, times

LEAST_CHANGES = 6
"""Fewer changes say nothing of a series' spread; then that of all series counts."""
LEAST_REFERENCES = 3
"""Fewer figures of a series say nothing of what its next is."""
LEAST_PLACES = 3
"""Fewer other places say nothing of the level."""
SUPPORTING_PLACES = 2
"""So many others that moved alike make a shock of what one alone would make an outlier."""

_REFERENCES = 5
_TO_A_DEVIATION = 1.4826
"""What makes of a median absolute deviation the standard deviation of a normal distribution."""
_LEAST_DEVIATION = 0.05
_USUAL_DEVIATION = 0.1
_LONGEST_GAP = 12
_MANY = 30
"""Of more places than this, leaving out one changes nothing."""
_FAR = 6
"""Deviations of a change that is an outlier."""
_FAR_FOR_A_SLIP = 4
_NEAR = log(1.6)
"""Places whose levels differ by less are alike."""
_ELSEWHERE = log(3)


@dataclass(slots=True)
class _Entry:
    day: int
    published: int
    position: int
    """In what is posted; -1: it was known."""
    level: float
    """The natural logarithm of the value."""


@dataclass(slots=True)
class _Series:
    place: str
    entries: list[_Entry] = field(default_factory=list)
    deviation: float | None = None
    accepted: list[_Entry] = field(default_factory=list)
    behind: int = 0
    """How many of its entries lie before the day that is looked at, or on it."""


def off_their_series(
    posted: Sequence[PostedFigure],
    known: Sequence[PostedFigure],
    *,
    expects: Expectations,
    doubted: Iterable[int] = (),
) -> dict[int, Doubt]:
    """The doubtful figures by their positions. `doubted` are left out, as ground and as judged.

    Far from its own series means: further than its spread explains, over the gap since the figure
    before. A figure that looks like a slip is doubtful whatever the others do, for all may have
    been typed alike, unless it agrees with what the others were before. Any other is doubtful if
    it is far from the others' changes and levels as well, or there are none.
    """
    series = _laid_out(posted, known, without=frozenset(doubted))
    step = _step(series)
    usual = _set_deviations(series, step=step)
    doubts: dict[int, Doubt] = {}
    by_day: dict[int, list[_Series]] = defaultdict(list)
    for each in series:
        for day in {entry.day for entry in each.entries}:
            by_day[day].append(each)
    for day in sorted(by_day):
        _look_at(day, by_day[day], doubts, expects=expects, step=step, usual=usual)
    return doubts


def _laid_out(
    posted: Sequence[PostedFigure], known: Sequence[PostedFigure], *, without: frozenset[int]
) -> list[_Series]:
    series: dict[tuple[str, str | None, str], _Series] = {}
    for position, figure in (*((-1, figure) for figure in known), *enumerate(posted)):
        if figure.value is None or figure.value <= 0 or position in without:
            continue
        key = figure.series
        if key not in series:
            series[key] = _Series(place=figure.place or figure.area)
        series[key].entries.append(
            _Entry(
                figure.observed_on.toordinal(),
                figure.published_on.toordinal(),
                position,
                log(figure.value),
            )
        )
    for each in series.values():
        each.entries.sort(key=lambda entry: (entry.day, entry.published, entry.position))
    # In the order of their names, so that the order of arrival decides nothing.
    return [series[key] for key in sorted(series, key=lambda key: (key[0], key[1] or "", key[2]))]


def _levels_by_day(series: _Series) -> list[tuple[int, float]]:
    """The last published of each day."""
    return [
        (day, list(entries)[-1].level)
        for day, entries in groupby(series.entries, key=lambda entry: entry.day)
    ]


def _step(series: Sequence[_Series]) -> float:
    """The usual number of days between two figures of a series."""
    gaps = [
        after[0] - before[0]
        for each in series
        for levels in [_levels_by_day(each)]
        for before, after in pairwise(levels)
    ]
    return float(median(gaps)) if gaps else 1.0


def _set_deviations(series: Sequence[_Series], *, step: float) -> float:
    """Set each series' own, where it has one; the usual one is that of all."""
    everywhere: list[float] = []
    for each in series:
        levels = _levels_by_day(each)
        changes = [
            abs(after[1] - before[1]) / sqrt((after[0] - before[0]) / step)
            for before, after in pairwise(levels)
        ]
        everywhere += changes
        if len(changes) >= LEAST_CHANGES:
            each.deviation = max(_TO_A_DEVIATION * median(changes), _LEAST_DEVIATION)
    if len(everywhere) < LEAST_CHANGES:
        return _USUAL_DEVIATION
    return max(_TO_A_DEVIATION * median(everywhere), _LEAST_DEVIATION)


def _look_at(
    day: int,
    there: Sequence[_Series],
    doubts: dict[int, Doubt],
    *,
    expects: Expectations,
    step: float,
    usual: float,
) -> None:
    today: list[list[_Entry]] = []
    for series in there:
        first = series.behind
        while series.behind < len(series.entries) and series.entries[series.behind].day == day:
            series.behind += 1
        today.append(series.entries[first : series.behind])
    if any(entry.position >= 0 for entries in today for entry in entries):
        others = _Others(there, today)
        for series, entries in zip(there, today, strict=True):
            for entry in entries:
                if entry.position < 0:
                    continue
                doubt = _doubt(entry, series, others, expects=expects, step=step, usual=usual)
                if doubt is not None:
                    doubts[entry.position] = doubt
    for series, entries in zip(there, today, strict=True):
        sound = [entry for entry in entries if entry.position not in doubts]
        if sound:
            series.accepted = [*series.accepted[1 - _REFERENCES :], sound[-1]]


class _Crowd:
    """Numbers of several places, in order."""

    def __init__(self, values: Iterable[float]) -> None:
        self.values = sorted(values)

    def without(self, value: float | None) -> "_Crowd":
        """Without the number of one place: itself, where the place is among so many."""
        if value is None or len(self.values) > _MANY:
            return self
        at = bisect_left(self.values, value)
        return _Crowd(self.values[:at] + self.values[at + 1 :])

    @property
    def is_enough(self) -> bool:
        return len(self.values) >= LEAST_PLACES

    @cached_property
    def middle(self) -> float:
        return median(self.values)

    @cached_property
    def spread(self) -> float:
        """As a standard deviation."""
        return _TO_A_DEVIATION * median(abs(value - self.middle) for value in self.values)

    def has_near(self, level: float) -> bool:
        """Whether a level is one that these places have."""
        return self.is_enough and abs(level - self.middle) <= max(3 * self.spread, _NEAR)


class _Others:
    """What the places of one day say together."""

    def __init__(self, there: Sequence[_Series], today: Sequence[Sequence[_Entry]]) -> None:
        self._of: dict[int, tuple[float, float | None, float | None]] = {}
        for series, entries in zip(there, today, strict=True):
            level = entries[-1].level
            reference = _reference(series, level)
            change = None if reference is None else level - reference
            self._of[id(series)] = (level, reference, change)
        said = self._of.values()
        self._levels = _Crowd(level for level, _, _ in said)
        self._before = _Crowd(before for _, before, _ in said if before is not None)
        self._changes = _Crowd(change for _, _, change in said if change is not None)

    def levels(self, series: _Series) -> _Crowd:
        return self._levels.without(self._of[id(series)][0])

    def before(self, series: _Series) -> _Crowd:
        """What they were to be expected near."""
        return self._before.without(self._of[id(series)][1])

    def changes(self, series: _Series) -> _Crowd:
        return self._changes.without(self._of[id(series)][2])


def _reference(series: _Series, level: float) -> float | None:
    """What is to be expected: near the last figure, or the middle of the last; None: not known."""
    before = [entry.level for entry in series.accepted]
    known = before
    if len(before) < LEAST_REFERENCES:
        # The beginning of a series is held against what follows.
        following = series.entries[series.behind : series.behind + _REFERENCES]
        known = before + [entry.level for entry in following]
    if len(known) < LEAST_REFERENCES:
        return None
    middle = median(known)
    if before and abs(level - before[-1]) < abs(level - middle):
        return before[-1]
    return middle


def _doubt(
    entry: _Entry,
    series: _Series,
    others: _Others,
    *,
    expects: Expectations,
    step: float,
    usual: float,
) -> Doubt | None:
    reference = _reference(series, entry.level)
    if reference is None:
        return _doubt_of_a_first(entry, series, others, expects=expects)
    change = entry.level - reference
    before = series.accepted[-1].day if series.accepted else series.entries[series.behind].day
    gap = min(max(abs(entry.day - before) / step, 1.0), _LONGEST_GAP)
    deviation = (series.deviation or usual) * sqrt(gap)
    if abs(change) >= max(LEAST_SLIP, _FAR_FOR_A_SLIP * deviation):
        slip = slip_of(change, is_money=expects.is_money)
        if slip is not None and not others.before(series).has_near(entry.level):
            return _told(series, *slip)
    if expects.outlier_factor is None:
        return None
    far = max(_FAR * deviation, log(expects.outlier_factor))
    if abs(change) <= far or _is_shared(entry.level, change, far, series, others):
        return None
    return _told(
        series,
        DoubtReason.OUTLIER,
        f"{times(change)} what was to be expected, and other places do not say so",
    )


def _doubt_of_a_first(
    entry: _Entry, series: _Series, others: _Others, *, expects: Expectations
) -> Doubt | None:
    levels = others.before(series)
    if not levels.is_enough:
        levels = others.levels(series)
    if not levels.is_enough:
        return None
    change = entry.level - levels.middle
    if abs(change) <= max(_FAR * levels.spread, _ELSEWHERE):
        return None
    slip = slip_of(change, is_money=expects.is_money)
    if slip is not None:
        return _told(series, *slip)
    if expects.outlier_factor is None:
        return None
    return _told(series, DoubtReason.OUTLIER, f"{times(change)} what other places say")


def _is_shared(level: float, change: float, far: float, series: _Series, others: _Others) -> bool:
    """Whether other places moved alike, or are where this has come to."""
    changes = others.changes(series)
    alike = (other for other in changes.values if other * change > 0)
    if sum(abs(other) >= abs(change) / 2 for other in alike) >= SUPPORTING_PLACES:
        return True
    if changes.is_enough and abs(change - changes.middle) <= far:
        return True
    return others.levels(series).has_near(level)


def _told(series: _Series, reason: DoubtReason, off: str) -> Doubt:
    return Doubt(reason=reason, says=f"At {series.place} it is {off}.")
