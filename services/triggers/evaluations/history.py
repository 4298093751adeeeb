"""What a trigger has to say of all that was known, day by day: pure.

The live service and a backtest are this one function. Each day on which something became known,
or on which the waiting for a period ended, is looked at in turn, by the figures that counted at
the end of it; what was published later decides nothing before it was. So whatever order figures
arrive in, however they are batched, and whenever a worker gets to them: the same figures tell the
same history, and a system that goes live in the middle of an event tells it as one that was live
before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from services.triggers.definitions.document import Leg, TriggerDocument
from services.triggers.evaluations.joining import Joined, joined
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Order
from services.triggers.methods.registry import AnyMethod, method_of
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of an indicator: every figure of it in every revision, and its calendar."""

    calendar: Calendar
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Step:
    """One judgement of one leg, and what it makes of the trigger."""

    decided_on: date
    """The day by whose figures it was judged."""
    leg: int
    """Which of the document's legs was judged, from 0."""
    judgement: Judgement
    stage: TriggerStage
    """The trigger's: its legs joined."""
    severity: Severity
    areas: tuple[str, ...]
    episode: int | None
    """The number of the episode that it belongs to; None: activation was not reached."""
    because: str | None = None
    """Why an activation stage that was reached begins nothing, or what it continues."""
    is_lapse: bool = False
    """Whether nothing was said, and time alone made it due."""

    @property
    def evidence_on(self) -> date:
        """The last day of what was said: of what lapsed, the day before it did."""
        period = self.judgement.period
        return period.first_on - _ONE_DAY if self.is_lapse else period.last_on


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A day, and a sentence for people."""

    decided_on: date
    because: str


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One event for which a trigger reached activation."""

    number: int
    """From 0, the oldest first."""
    first_on: date
    """The first day of the evidence that first reached activation."""
    last_on: date
    """The last day of evidence that reached it."""
    decided_on: date
    """The day by whose figures activation was first reached."""
    latest_on: date
    """The day by whose figures it was last reached."""
    severity: Severity
    areas: tuple[str, ...]
    finding: str
    """What the judgement said that first reached it."""
    because: str | None = None
    """Why it is another event than the one before; None: the first."""
    withdrawn: Noted | None = None
    """That figures which became known later would not have let it begin."""
    ended: Noted | None = None
    """That what came later is another event, whether or not that one reaches activation."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """A span in which a trigger was ready or active; it ends when a judgement is below."""

    decided_on: date
    latest_on: date
    """The last day of the evidence that kept it so."""
    ended_on: date | None
    areas: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """All that a trigger had to say, the oldest first."""

    steps: tuple[Step, ...] = ()
    episodes: tuple[Episode, ...] = ()
    readiness: tuple[Readiness, ...] = ()


def tell(document: TriggerDocument, known: Mapping[str, Known], *, on: date) -> History:
    """The history of a trigger as it stands on a day, which is not over yet.

    `known` holds every indicator of the document's legs. Of what happens at no set times, what
    is published on the day `on` counts already; a period of any other indicator is judged by
    days that are over, so that the rest of a day's figures cannot come too late for it.
    """
    legs = [
        _LegHistory(position, leg, known[leg.indicator], document=document, on=on)
        for position, leg in enumerate(document.legs)
    ]
    due = sorted(
        (pair for leg in legs for pair in leg.due()),
        key=lambda pair: (pair.decided_on, pair.period.last_on, pair.period.first_on, pair.leg),
    )
    telling = _Telling(document, legs)
    for decision in due:
        telling.add(decision)
    return telling.told()


@dataclass(frozen=True, kw_only=True)
class _Due:
    decided_on: date
    leg: int
    period: Period
    is_lapse: bool = False
    """Whether time alone makes it due."""


class _LegHistory:
    """One leg: which periods of its indicator are due on which days, judged by those days."""

    def __init__(
        self, position: int, leg: Leg, known: Known, *, document: TriggerDocument, on: date
    ) -> None:
        self.position = position
        self.method: AnyMethod = method_of(leg.method)
        self.document = leg.method
        self._known = known
        self._areas = document.areas
        self._reach = timedelta(days=document.judge_within_days)
        is_event = known.calendar.frequency is Frequency.EVENT
        # A forecast is about days to come: it is due when it is published, not when they are over.
        self._by_publication = is_event or known.figures.forecast
        self._over_on = on if is_event else on - _ONE_DAY
        self._series: dict[date, Any] = {}

    def due(self) -> list[_Due]:
        """Every period with every day on which it is to be judged."""
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
                figures.known_on(day), self.document, areas=self._areas
            )
        return self._series[day]

    def judge(self, due: _Due) -> tuple[Judgement, Any]:
        """The judgement, and the series by which it was made."""
        series = self.series_on(due.decided_on, to=due.period.last_on)
        return (
            self.method.judge(series, self.document, period=due.period, areas=self._areas),
            series,
        )

    def _due_events(self, figures: Figures) -> list[_Due]:
        """On each day of publication, the events that what was published belongs to.

        Between two of them, what time alone makes due by what is known then.
        """
        due = []
        days = [
            date.fromordinal(int(ordinal))
            for ordinal in np.unique(figures.published_on)
            if ordinal <= self._over_on.toordinal()
        ]
        for day, next_day in pairwise([*days, self._over_on + _ONE_DAY]):
            ordinal = day.toordinal()
            observed = figures.observed_on[figures.published_on == ordinal]
            changed = Period(
                first_on=date.fromordinal(int(observed.min())),
                last_on=date.fromordinal(int(observed.max())),
            )
            series = self.method.lay_out(figures.known_on(day), self.document, areas=self._areas)
            self._series[day] = series
            due += [
                _Due(decided_on=day, leg=self.position, period=period)
                for period in self.method.events(series, self.document, changed=changed)
            ]
            judged = {each.period for each in due if each.decided_on == day}
            for lapse in self.method.lapses(series, self.document):
                if day < lapse.on < next_day:
                    at = lapse.on
                elif lapse.on <= day and lapse.period.last_on >= changed.first_on - _ONE_DAY:
                    at = day
                else:
                    continue
                if at != day or lapse.period not in judged:
                    due.append(
                        _Due(decided_on=at, leg=self.position, period=lapse.period, is_lapse=True)
                    )
        return due

    def next_lapse(self) -> date | None:
        """The next day on which time alone makes something due, by what is known now."""
        if not self._by_publication or not len(self._known.figures):
            return None
        series = self.series_on(self._over_on, to=date.max)
        days = (lapse.on for lapse in self.method.lapses(series, self.document))
        return min((day for day in days if day > self._over_on), default=None)

    def _due_periods(self, figures: Figures) -> list[_Due]:
        calendar = self._known.calendar
        begun_on = date.fromordinal(int(figures.published_on.min()))
        decided: dict[Period, date] = {}
        due = []
        for period in _periods(calendar, figures, to=self._over_on):
            days = _days_of_decision(calendar, figures, period, begun_on=begun_on)
            days = [day for day in days if day <= self._over_on]
            if days:
                decided[period] = days[-1]
                due += [_Due(decided_on=day, leg=self.position, period=period) for day in days]
        return [*due, *self._judged_again(figures, decided)]

    def _judged_again(self, figures: Figures, decided: Mapping[Period, date]) -> list[_Due]:
        """Recent periods, on each later day on which figures of them or before were revised."""
        again = []
        periods = list(decided)
        lasts = np.array([period.last_on.toordinal() for period in periods], np.int64)
        for ordinal in np.unique(figures.published_on):
            day = date.fromordinal(int(ordinal))
            if day > self._over_on:
                break
            first_changed = int(figures.observed_on[figures.published_on == ordinal].min())
            oldest = max(first_changed, (day - self._reach).toordinal())
            again += [
                _Due(decided_on=day, leg=self.position, period=periods[index])
                for index in np.flatnonzero(lasts >= oldest)
                if decided[periods[index]] < day
            ]
        return again


def _periods(calendar: Calendar, figures: Figures, *, to: date) -> Iterable[Period]:
    """The calendar's periods from the first with a figure on, as far as they are over."""
    day = date.fromordinal(int(figures.observed_on.min()))
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


@dataclass(kw_only=True)
class _Open:
    """An episode that is being told."""

    episode: Episode
    fired: dict[int, Period] = field(default_factory=dict)
    """By leg: the evidence that reached activation, as its method counts from it."""
    standing: dict[tuple[int, Period], bool] = field(default_factory=dict)
    """By leg and period: whether what reached activation still does."""


class _Telling:
    def __init__(self, document: TriggerDocument, legs: Sequence[_LegHistory]) -> None:
        self._document = document
        self._legs = legs
        self._latest: dict[int, Judgement] = {}
        self._steps: list[Step] = []
        self._episodes: list[_Open] = []
        self._readiness: list[Readiness] = []

    def told(self) -> History:
        return History(
            steps=tuple(self._steps),
            episodes=tuple(told.episode for told in self._episodes),
            readiness=tuple(self._readiness),
        )

    def add(self, due: _Due) -> None:
        leg = self._legs[due.leg]
        judgement, series = leg.judge(due)
        latest = self._latest.get(due.leg)
        is_later = latest is None or judgement.period.last_on >= latest.period.last_on
        # That nobody says any more takes nothing back of what holds beside other legs.
        if is_later and not (due.is_lapse and judgement.unjudged is not None):
            self._latest[due.leg] = judgement
        reached = joined(self._document, {**self._latest, due.leg: judgement}, on=due.decided_on)
        self._note_readiness(reached, due)
        if reached.stage is TriggerStage.ACTIVATION and judgement.unjudged is None:
            number, because = self._episode_of(due, reached, series=series)
        else:
            number, because = None, None
            if judgement.unjudged is None:
                self._note_end(due, series=series)
        self._withdraw(due, judgement, reached)
        self._steps.append(
            Step(
                decided_on=due.decided_on,
                leg=due.leg,
                judgement=judgement,
                stage=reached.stage,
                severity=reached.severity,
                areas=reached.areas,
                episode=number,
                because=because,
                is_lapse=due.is_lapse,
            )
        )

    def _episode_of(
        self, due: _Due, reached: Joined, *, series: Any
    ) -> tuple[int | None, str | None]:
        """Which episode what was reached belongs to, and why; a new one where to none."""
        because, order = None, Order.LATER
        for told in reversed(self._episodes):
            order, reason = self._order(told, due, series=series)
            match order:
                case Order.SAME:
                    self._continue(told, due, reached)
                    return told.episode.number, reason
                case Order.LATER:
                    because = reason
                    break
                case Order.EARLIER:
                    because = reason
        if order is Order.EARLIER:
            return None, because
        refused = self._why_none_begins(due)
        if refused is not None:
            return None, refused
        return self._begin(due, reached, because=because), because

    def _order(self, told: _Open, due: _Due, *, series: Any) -> tuple[Order, str]:
        """How what is judged stands to an episode, and why."""
        leg = self._legs[due.leg]
        fired = told.fired.get(due.leg)
        if fired is not None:
            continuation = leg.method.continues(
                series, leg.document, period=due.period, earlier=fired
            )
            return continuation.order, continuation.because
        if leg.method.is_over(
            leg.document, evidence_to=told.episode.last_on, on=due.period.first_on
        ):
            return Order.LATER, "It came after the event before."
        return Order.SAME, "Another leg reached activation of its event."

    def _begin(self, due: _Due, reached: Joined, *, because: str | None) -> int:
        number = len(self._episodes)
        if self._episodes and because is not None:
            self._end(self._episodes[-1], due.decided_on, because)
        episode = Episode(
            number=number,
            first_on=due.period.first_on,
            last_on=due.period.last_on,
            decided_on=due.decided_on,
            latest_on=due.decided_on,
            severity=reached.severity,
            areas=reached.areas,
            finding=reached.finding,
            because=because,
        )
        told = _Open(episode=episode, fired={due.leg: due.period})
        told.standing[due.leg, due.period] = True
        self._episodes.append(told)
        return number

    def _continue(self, told: _Open, due: _Due, reached: Joined) -> None:
        episode, leg = told.episode, self._legs[due.leg]
        told.standing[due.leg, due.period] = True
        fired = told.fired.get(due.leg, due.period)
        if leg.method.widens:
            fired = Period(
                first_on=min(fired.first_on, due.period.first_on),
                last_on=max(fired.last_on, due.period.last_on),
            )
        told.fired[due.leg] = fired
        told.episode = replace(
            episode,
            first_on=min(episode.first_on, due.period.first_on),
            last_on=max(episode.last_on, due.period.last_on),
            latest_on=max(episode.latest_on, due.decided_on),
            severity=max(episode.severity, reached.severity, key=lambda severity: severity.rank),
            areas=tuple(sorted({*episode.areas, *reached.areas})),
            withdrawn=None,
            ended=None,
        )

    def _note_end(self, due: _Due, *, series: Any) -> None:
        """Note where what is judged is of a later event than the latest episode."""
        if not self._episodes or self._episodes[-1].episode.ended is not None:
            return
        order, because = self._order(self._episodes[-1], due, series=series)
        if order is Order.LATER:
            self._end(self._episodes[-1], due.decided_on, because)

    def _end(self, told: _Open, day: date, because: str) -> None:
        if told.episode.ended is None:
            told.episode = replace(told.episode, ended=Noted(decided_on=day, because=because))

    def _withdraw(self, due: _Due, judgement: Judgement, reached: Joined) -> None:
        """Note where a period that had reached activation does not, by what is known now."""
        if reached.stage is TriggerStage.ACTIVATION:
            return
        for told in self._episodes:
            if told.standing.get((due.leg, due.period)):
                told.standing[due.leg, due.period] = False
                if not any(told.standing.values()):
                    told.episode = replace(
                        told.episode,
                        withdrawn=Noted(
                            decided_on=due.decided_on,
                            because=judgement.unjudged or judgement.finding,
                        ),
                    )

    def _why_none_begins(self, due: _Due) -> str | None:
        """Why nothing begins of an event on which activation was reached; None: it does."""
        season = self._document.season
        if season is None:
            return None
        if not season.holds(due.period.last_on):
            return f"Its season is from {season.first} to {season.last}."
        begun = season.begun_on(due.period.last_on)
        already = sum(
            told.episode.withdrawn is None and told.episode.first_on >= begun
            for told in self._episodes
        )
        if season.at_most is not None and already >= season.at_most:
            return f"It activates {season.at_most} times in a season at most, and has."
        return None

    def _note_readiness(self, reached: Joined, due: _Due) -> None:
        day, said_on = due.decided_on, due.period.last_on
        ready = reached.stage.rank >= TriggerStage.READINESS.rank
        latest = self._readiness[-1] if self._readiness else None
        if latest is None or latest.ended_on is not None:
            if ready:
                self._readiness.append(
                    Readiness(decided_on=day, latest_on=said_on, ended_on=None, areas=reached.areas)
                )
        elif ready:
            areas = tuple(sorted({*latest.areas, *reached.areas}))
            latest_on = max(latest.latest_on, said_on)
            self._readiness[-1] = replace(latest, areas=areas, latest_on=latest_on)
        elif reached.is_judged:
            self._readiness[-1] = replace(latest, ended_on=day)


def next_due(
    known: Known, *, on: date, documents: Sequence[TriggerDocument] = (), indicator: str = ""
) -> date | None:
    """The next day after `on` on which time alone makes a period of an indicator due.

    A period is over, or the waiting for it is; of events, what the methods of these triggers know
    to lapse. None: nothing is ever due without a figure.
    """
    calendar = known.calendar
    if not len(known.figures):
        return None
    if calendar.frequency is Frequency.EVENT or known.figures.forecast:
        lapses = [
            _LegHistory(position, leg, known, document=document, on=on).next_lapse()
            for document in documents
            for position, leg in enumerate(document.legs)
            if leg.indicator == indicator
        ]
        return min((day for day in lapses if day is not None), default=None)
    ends: list[date] = []
    first_on, last_on = calendar.period_of(on - timedelta(days=calendar.waits_days))
    while not ends or first_on <= on:
        ends += [day + _ONE_DAY for day in (last_on, calendar.waited_until(last_on)) if day >= on]
        first_on, last_on = calendar.period_of(last_on + _ONE_DAY)
    return min(ends)
