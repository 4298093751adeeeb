"""What is known of an indicator, and which periods of it are due on which days: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from services.triggers.definitions.document import Leg, TriggerDocument
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.registry import AnyMethod, method_of

_ONE_DAY = timedelta(days=1)
_DAYS_KEPT = 6
"""Of so many days what was known is kept: those published on lately, and those of standings."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of an indicator: every figure of it in every revision, and its calendar."""

    calendar: Calendar
    figures: Figures
    _latest: dict[date, Figures] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def figures_on(self, day: date) -> Figures:
        """The figures that count at the end of a day; those of the days asked for last are kept.

        Every trigger that is told on asks for the same few days.
        """
        found = self._latest.pop(day, None)
        if found is None:
            found = self.figures.known_on(day)
        self._latest[day] = found
        if len(self._latest) > _DAYS_KEPT:
            del self._latest[next(iter(self._latest))]
        return found


@dataclass(frozen=True, kw_only=True)
class Due:
    """A period that a leg is to judge, and the day by whose figures."""

    decided_on: date
    leg: int
    period: Period
    is_lapse: bool = False
    """Whether time alone makes it due."""


class LegHistory:
    """One leg: which periods of its indicator are due on which days, judged by those days."""

    def __init__(
        self,
        position: int,
        leg: Leg,
        known: Known,
        *,
        document: TriggerDocument,
        on: date,
        after: date | None,
    ) -> None:
        """``after``: the day until whose end everything is told; None: nothing is."""
        self.position = position
        self.method: AnyMethod = method_of(leg.method)
        self.document = leg.method
        self._known = known
        self._areas = document.areas
        self._reach = timedelta(days=document.judge_within_days)
        is_event = known.calendar.frequency is Frequency.EVENT
        # A forecast is about days to come: it is due when it is published, not when they are over.
        self._by_publication = is_event or known.figures.forecast
        self._over_on = last_day_of_publication(known.calendar, on=on)
        self._after = date.min if after is None else after
        self._series: dict[date, Any] = {}

    @property
    def begun_on(self) -> date | None:
        """The first day of which a figure is known, by the days that are over for it."""
        figures = self._known.figures
        observed = figures.observed_on[figures.published_on <= self._over_on.toordinal()]
        return date.fromordinal(int(observed.min())) if len(observed) else None

    def due(self) -> list[Due]:
        """Every period with every day on which it is to be judged that is not told yet."""
        figures = self._known.figures
        published = figures.published_on <= self._over_on.toordinal()
        if not published.any():
            return []
        if self._by_publication:
            return self._due_events(figures)
        return self._due_periods(figures)

    def series_on(self, day: date, *, to: date) -> Any:
        """What was known at the end of a day, laid out; of what was observed up to `to`.

        Where nothing of that was published after the day, what is known by now says the same.
        """
        figures = self._known.figures
        late = (figures.published_on > day.toordinal()) & (
            figures.published_on <= self._over_on.toordinal()
        )
        if not (late & (figures.observed_on <= to.toordinal())).any():
            day = self._over_on
        if day not in self._series:
            self._series[day] = self.method.lay_out(
                self._known.figures_on(day), self.document, areas=self._areas
            )
        return self._series[day]

    def judge(self, due: Due) -> tuple[Judgement, Any]:
        """The judgement, and the series by which it was made."""
        series = self.series_on(due.decided_on, to=due.period.last_on)
        return (
            self.method.judge(series, self.document, period=due.period, areas=self._areas),
            series,
        )

    def lapses_on(self, day: date | None = None) -> date | None:
        """The next day on which time alone makes something due, by what is known at the end of one.

        None: by what is known now. Of an indicator of events alone: periods of others are over by
        their calendar.
        """
        day = self._over_on if day is None else day
        figures = self._known.figures
        if not self._by_publication or not (figures.published_on <= day.toordinal()).any():
            return None
        series = self.series_on(day, to=date.max)
        days = (lapse.on for lapse in self.method.lapses(series, self.document))
        return min((on for on in days if on > day), default=None)

    def _due_events(self, figures: Figures) -> list[Due]:
        """On each day of publication, the events that what was published belongs to.

        Between two of them, what time alone makes due by what is known then.
        """
        due = []
        for day, next_day in self._spells(figures):
            observed = figures.observed_on[figures.published_on == day.toordinal()]
            changed = Period(
                first_on=date.fromordinal(int(observed.min())),
                last_on=date.fromordinal(int(observed.max())),
            )
            series = self.method.lay_out(
                self._known.figures_on(day), self.document, areas=self._areas
            )
            self._series[day] = series
            events = self.method.events(series, self.document, changed=changed)
            found = [Due(decided_on=day, leg=self.position, period=period) for period in events]
            for lapse in self.method.lapses(series, self.document):
                if day < lapse.on < next_day:
                    at = lapse.on
                elif lapse.on <= day and lapse.period.last_on >= changed.first_on - _ONE_DAY:
                    at = day
                else:
                    continue
                if at != day or lapse.period not in events:
                    found.append(
                        Due(decided_on=at, leg=self.position, period=lapse.period, is_lapse=True)
                    )
            due += [each for each in found if each.decided_on > self._after]
        return due

    def _spells(self, figures: Figures) -> list[tuple[date, date]]:
        """Days on which figures were published, each with the day on which there were others next.

        From the last day on that is told, because of what may lapse after it.
        """
        over_on = self._over_on.toordinal()
        ordinals = np.unique(figures.published_on[figures.published_on <= over_on])
        days = [date.fromordinal(int(ordinal)) for ordinal in ordinals]
        spells = pairwise([*days, self._over_on + _ONE_DAY])
        return [(day, next_day) for day, next_day in spells if next_day > self._after]

    def _due_periods(self, figures: Figures) -> list[Due]:
        calendar = self._known.calendar
        begun_on = date.fromordinal(int(figures.published_on.min()))
        decided: dict[Period, date] = {}
        due = []
        for period in _periods(calendar, since=self._oldest_due(figures), to=self._over_on):
            days = _days_of_decision(calendar, figures, period, begun_on=begun_on)
            days = [day for day in days if day <= self._over_on]
            if days:
                decided[period] = days[-1]
                due += [
                    Due(decided_on=day, leg=self.position, period=period)
                    for day in days
                    if day > self._after
                ]
        return [*due, *self._judged_again(figures, decided)]

    def _oldest_due(self, figures: Figures) -> date:
        """A day before which no period lies that is due now: the first with a figure, or later.

        What is due after a day has been published since, or was awaited until later, or is recent
        enough to be judged again.
        """
        first = int(figures.observed_on.min())
        if self._after == date.min:
            return date.fromordinal(first)
        told_to = self._after.toordinal()
        since = figures.observed_on[figures.published_on > told_to]
        days_back = max(self._reach.days, self._known.calendar.waits_days)
        oldest = min(told_to + 1 - days_back, int(since.min()) if len(since) else told_to + 1)
        return date.fromordinal(max(first, oldest))

    def _judged_again(self, figures: Figures, decided: Mapping[Period, date]) -> list[Due]:
        """Recent periods, on each later day on which figures of them or before were revised."""
        again = []
        periods = list(decided)
        lasts = np.array([period.last_on.toordinal() for period in periods], np.int64)
        for day in self._days_of_publication(figures):
            observed = figures.observed_on[figures.published_on == day.toordinal()]
            oldest = max(int(observed.min()), (day - self._reach).toordinal())
            again += [
                Due(decided_on=day, leg=self.position, period=periods[index])
                for index in np.flatnonzero(lasts >= oldest)
                if decided[periods[index]] < day
            ]
        return again

    def _days_of_publication(self, figures: Figures) -> list[date]:
        """The days on which figures were published that are not told yet, and are over."""
        published = figures.published_on
        untold = (published > self._after.toordinal()) & (published <= self._over_on.toordinal())
        return [date.fromordinal(int(ordinal)) for ordinal in np.unique(published[untold])]


def _periods(calendar: Calendar, *, since: date, to: date) -> Iterable[Period]:
    """The calendar's periods from that of a day on, as far as they are over."""
    day = since
    while True:
        first_on, last_on = calendar.period_of(day)
        if last_on > to:
            return
        yield Period(first_on=first_on, last_on=last_on)
        day = last_on + _ONE_DAY


def _days_of_decision(
    calendar: Calendar, figures: Figures, period: Period, *, begun_on: date
) -> list[date]:
    """The day on which a period is complete; before it, one on which nothing had come in time.

    Silence is told from the day on which the indicator's first figure was published: what was
    published of earlier times together is a history, not a row of failures.
    """
    of_period = (figures.observed_on >= period.first_on.toordinal()) & (
        figures.observed_on <= period.last_on.toordinal()
    )
    waited_until = calendar.waited_until(period.last_on)
    silent = [waited_until] if waited_until >= begun_on else []
    if not of_period.any():
        return silent
    published = figures.published_on[of_period]
    begun = date.fromordinal(int(published.min()))
    complete_on = max(waited_until, begun)
    if calendar.complete_with_places is not None:
        first_by_place = _first_by_place(figures, of_period)
        if len(first_by_place) >= calendar.complete_with_places:
            ordinal = first_by_place[calendar.complete_with_places - 1]
            complete_on = min(complete_on, date.fromordinal(ordinal))
    decided_on = max(period.last_on, complete_on)
    return [*(day for day in silent if day < begun), decided_on]


def _first_by_place(figures: Figures, rows: Any) -> list[int]:
    """The day on which each place of these rows first had a figure published, in their order."""
    first: dict[tuple[int, int], int] = {}
    for area, place, published in zip(
        figures.area[rows], figures.place[rows], figures.published_on[rows], strict=True
    ):
        key = (int(area), int(place))
        first[key] = min(first.get(key, int(published)), int(published))
    return sorted(first.values())


def last_day_of_publication(calendar: Calendar, *, on: date) -> date:
    """Up to which day what is published is judged on `on`: of events, that day's as well."""
    return on if calendar.frequency is Frequency.EVENT else on - _ONE_DAY


def is_due_by_time(calendar: Calendar, *, forecast: bool, after: date, on: date) -> bool:
    """Whether time alone may have made a period due on a day after `after` that is over on `on`.

    With what is published on such a day, it is all that makes a period due.
    """
    if calendar.frequency is Frequency.EVENT or forecast:
        return False
    first_on, last_on = calendar.period_of(after + _ONE_DAY - timedelta(days=calendar.waits_days))
    while first_on < on:
        if any(after < day < on for day in (last_on, calendar.waited_until(last_on))):
            return True
        first_on, last_on = calendar.period_of(last_on + _ONE_DAY)
    return False


def next_due(calendar: Calendar, *, forecast: bool, on: date) -> date | None:
    """The next day after `on` on which the calendar alone makes a period of an indicator due.

    A period is over, or the waiting for it is; None: nothing is ever due but by a figure. What
    lapses of events, a trigger's history tells.
    """
    if calendar.frequency is Frequency.EVENT or forecast:
        return None
    ends: list[date] = []
    first_on, last_on = calendar.period_of(on - timedelta(days=calendar.waits_days))
    while not ends or first_on <= on:
        ends += [day + _ONE_DAY for day in (last_on, calendar.waited_until(last_on)) if day >= on]
        first_on, last_on = calendar.period_of(last_on + _ONE_DAY)
    return min(ends)
