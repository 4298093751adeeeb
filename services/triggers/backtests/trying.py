"""A trigger tried on history, as it was known on each day: pure.

What it would have decided is told by the function that decides live. Beside that stands what
really happened, and what it would have cost.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.areas import COUNTRY
from services.triggers.backtests import scores, timing
from services.triggers.backtests.document import RealEvent, Window
from services.triggers.backtests.places import Place, Places, overlap
from services.triggers.backtests.report import (
    ActivationTried,
    EventTried,
    Fate,
    HistoryUsed,
    LegTried,
    Measure,
    Met,
    Money,
    Point,
    Reason,
    Recurrence,
    Report,
    Scores,
)
from services.triggers.definitions.document import TriggerDocument
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.episodes import Episode, History, Step
from services.triggers.evaluations.history import tell
from services.triggers.methods.calendar import Frequency
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage

MAXIMUM_POINTS = 4_000
"""Of one measure; of a longer one the highest of every so many in a row are kept."""
_ONE_DAY = timedelta(days=1)
_REASONS_TOLD = 3


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried, on which days, and against what."""

    document: TriggerDocument
    version: int | None = None
    first_on: date
    last_on: date
    events: Sequence[RealEvent]
    window: Window
    assume_published_after_days: int | None = None
    today: date | None = None
    """The day on which it is tried, which is not over yet; None: the span is."""

    @property
    def told_on(self) -> date:
        """The day by which it is told: the one after the span, and never one to come."""
        after = self.last_on + _ONE_DAY
        return after if self.today is None else min(after, self.today)


def refused(document: TriggerDocument) -> str | None:
    """Why a document cannot be tried on the past; None: it can."""
    for position, leg in enumerate(document.legs):
        if method_of(leg.method).uses_whole_sample:
            return (
                f"Leg {position} takes its levels from the whole of its history, years after the "
                "period among them: it would be tried on what it was made from. Use a method that "
                "looks only backwards."
            )
    return None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a trigger would have had to say, before anybody looks at what happened."""

    trial: Trial
    history: History
    known: Mapping[str, Known]
    """What was out by the end of the span, dated as the trial assumes."""
    came_after: Mapping[str, int]
    """Of each indicator, how many figures came out later."""

    @property
    def steps(self) -> list[Step]:
        """The judgements of the span."""
        return [step for step in self.history.steps if _within(self.trial, step.decided_on)]

    @property
    def episodes(self) -> list[Episode]:
        """The activations of the span."""
        episodes = self.history.episodes
        return [episode for episode in episodes if _within(self.trial, episode.decided_on)]

    @property
    def areas(self) -> set[str]:
        """Every area of which a report wants to know who lives there."""
        named = [event.areas for event in self.trial.events]
        return set().union(*named, *(episode.areas for episode in self.episodes))


def told(trial: Trial, known: Mapping[str, Known]) -> Told:
    """The history by what was out on each day of the span and before, and by nothing later.

    `known` holds every indicator of the document's legs.
    """
    days = trial.assume_published_after_days
    out = {}
    for code in trial.document.indicators:
        dated = known[code] if days is None else timing.assumed(known[code], days=days)
        out[code] = timing.until(dated, trial.last_on)
    return Told(
        trial=trial,
        history=tell(trial.document, out, on=trial.told_on),
        known=out,
        came_after={code: len(known[code].figures) - len(out[code].figures) for code in out},
    )


def backtest(trial: Trial, known: Mapping[str, Known], places: Places) -> Report:
    """The report of a trial.

    `places` says who would be enrolled where, as the scheme and the area filter have it.
    """
    return report_of(told(trial, known), places)


def report_of(said: Told, places: Places) -> Report:
    """What was said beside what happened, and its money."""
    trial, steps, episodes = said.trial, said.steps, said.episodes
    activations = _activations(trial, episodes, places)
    events = [_event(trial, event, steps, episodes, places) for event in trial.events]
    histories = _histories(said)
    legs = [
        _leg(trial, position, [step for step in steps if step.leg == position])
        for position in range(len(trial.document.legs))
    ]
    return Report(
        code=trial.document.code,
        name=trial.document.name,
        version=trial.version,
        first_on=trial.first_on,
        last_on=trial.last_on,
        window=trial.window,
        remarks=list(_remarks(trial, histories, legs, places)),
        histories=histories,
        legs=legs,
        activations=activations,
        events=events,
        scores=_scores(trial, activations, events, steps),
        recurrences=list(_recurrences(trial, steps, episodes, said.known)),
        money=_money(activations, events, places),
        measures=list(_measures(said, steps)),
    )


def why_unjudged(judgement: Judgement) -> str | None:
    """Why the figures did not let a period be judged, or a part of what was needed."""
    if judgement.unjudged is not None:
        return judgement.unjudged
    if judgement.stage is not TriggerStage.NONE:
        return None
    for part in judgement.evidence.values():
        if isinstance(part, Mapping) and isinstance(part.get("unjudged"), str):
            return str(part["unjudged"])
    return None


def hits(trial: Trial, episode: Episode, event: RealEvent) -> bool:
    """Whether an activation is one of an event: by its day, and by its place where that is said."""
    earliest = event.first_on - timedelta(days=trial.window.lead_days)
    latest = event.last_on + timedelta(days=trial.window.lag_days)
    if not earliest <= episode.decided_on <= latest:
        return False
    return not event.areas or any(overlap(area, event.areas) for area in episode.areas)


def _within(trial: Trial, day: date) -> bool:
    return trial.first_on <= day <= trial.last_on


def _activations(
    trial: Trial, episodes: Sequence[Episode], places: Places
) -> list[ActivationTried]:
    met_before: set[str] = set()
    tried = []
    for episode in episodes:
        met = [event for event in trial.events if hits(trial, episode, event)]
        names = {event.name for event in met}
        if not met:
            kind = Met.FALSE_ALARM
        elif names <= met_before:
            kind = Met.REPEATED
        else:
            kind = Met.HIT
        met_before |= names
        all_of_it = places.of(episode.areas)
        not_hit = _not_hit(episode, met, places)
        tried.append(
            ActivationTried(
                decided_on=episode.decided_on,
                evidence_from=episode.first_on,
                evidence_to=episode.last_on,
                severity=episode.severity,
                areas=list(episode.areas),
                finding=episode.finding,
                withdrawn_on=episode.withdrawn.decided_on if episode.withdrawn else None,
                met=kind,
                events=[event.name for event in met],
                lead_days=max(
                    ((event.first_on - episode.decided_on).days for event in met), default=None
                ),
                households=all_of_it.households if all_of_it else None,
                amount_minor=all_of_it.amount_minor if all_of_it else None,
                households_not_hit=not_hit.households if not_hit else None,
                amount_not_hit_minor=not_hit.amount_minor if not_hit else None,
            )
        )
    return tried


def _not_hit(episode: Episode, met: Sequence[RealEvent], places: Places) -> Place | None:
    """What an activation pays where no event of it was; None: an event does not say where."""
    if any(not event.areas for event in met):
        return None
    return places.outside(episode.areas, [area for event in met for area in event.areas])


def _event(
    trial: Trial,
    event: RealEvent,
    steps: Sequence[Step],
    episodes: Sequence[Episode],
    places: Places,
) -> EventTried:
    met = [episode for episode in episodes if hits(trial, episode, event)]
    fate = Fate.HIT if met else Fate.MISSED
    if not _within(trial, event.first_on):
        fate = Fate.OUTSIDE
    decided_on = min((episode.decided_on for episode in met), default=None)
    ready_on = _ready_on(trial, event, steps)
    return EventTried(
        event=event,
        fate=fate,
        decided_on=decided_on,
        lead_days=(event.first_on - decided_on).days if decided_on else None,
        ready_on=ready_on,
        ready_lead_days=(event.first_on - ready_on).days if ready_on else None,
        households_missed=_missed(event, met, places) if fate is not Fate.OUTSIDE else None,
    )


def _ready_on(trial: Trial, event: RealEvent, steps: Sequence[Step]) -> date | None:
    """The first day within the event's window that was judged as ready or more.

    That readiness began long before for something else, and nobody ended it, is no foresight.
    """
    earliest = event.first_on - timedelta(days=trial.window.lead_days)
    latest = event.last_on + timedelta(days=trial.window.lag_days)
    return min(
        (
            step.decided_on
            for step in steps
            if step.stage.rank >= TriggerStage.READINESS.rank
            and earliest <= step.decided_on <= latest
            and (
                not (event.areas and step.areas)
                or any(overlap(area, event.areas) for area in step.areas)
            )
        ),
        default=None,
    )


def _missed(event: RealEvent, met: Sequence[Episode], places: Places) -> int | None:
    if not met and event.households is not None:
        return event.households
    if not event.areas:
        return None
    left = places.outside(event.areas, [area for episode in met for area in episode.areas])
    return left.households if left else None


def _scores(
    trial: Trial,
    activations: Sequence[ActivationTried],
    events: Sequence[EventTried],
    steps: Sequence[Step],
) -> Scores:
    counted = Counter(event.fate for event in events)
    met = Counter(activation.met for activation in activations)
    hit, missed, false_alarms = counted[Fate.HIT], counted[Fate.MISSED], met[Met.FALSE_ALARM]
    leads = [
        event.lead_days
        for event in events
        if event.fate is Fate.HIT and event.lead_days is not None
    ]
    return Scores(
        hits=hit,
        misses=missed,
        activations=len(activations),
        false_alarms=false_alarms,
        repeated=met[Met.REPEATED],
        probability_of_detection=scores.detected(hits=hit, misses=missed),
        false_alarm_ratio=scores.false_alarm_ratio(
            false_alarms=false_alarms, activations=len(activations)
        ),
        critical_success_index=scores.critical_success(
            hits=hit, misses=missed, false_alarms=false_alarms
        ),
        median_lead_days=float(statistics.median(leads)) if leads else None,
        brier=_brier(trial, steps),
    )


def _brier(trial: Trial, steps: Sequence[Step]) -> scores.Brier | None:
    """Of the probability that was said first of each period, against the events in it."""
    said: dict[tuple[int, Period], float] = {}
    for step in steps:
        probability = step.judgement.evidence.get("probability")
        if isinstance(probability, int | float) and not isinstance(probability, bool):
            said.setdefault((step.leg, step.judgement.period), float(probability))
    happened = [
        any(
            event.first_on <= period.last_on and event.last_on >= period.first_on
            for event in trial.events
        )
        for _, period in said
    ]
    return scores.brier(list(said.values()), happened)


def _recurrences(
    trial: Trial,
    steps: Sequence[Step],
    episodes: Sequence[Episode],
    known: Mapping[str, Known],
) -> Iterable[Recurrence]:
    """How often each stage was reached: by each leg, by the trigger, and after its quiet."""
    years_of = [
        _years_judged(trial, position, steps, known[leg.indicator])
        for position, leg in enumerate(trial.document.legs)
    ]
    any_leg = set().union(*years_of)
    stages = [TriggerStage.WATCH, TriggerStage.READINESS, TriggerStage.ACTIVATION]
    if len(years_of) > 1:
        for position, years in enumerate(years_of):
            for stage in stages:
                reached = {
                    step.judgement.period.last_on.year
                    for step in steps
                    if step.leg == position and step.judgement.stage.rank >= stage.rank
                }
                yield _recurrence(position, stage, years, reached)
    if all(step.stage is not TriggerStage.WATCH for step in steps):
        stages.remove(TriggerStage.WATCH)
    for stage in stages:
        reached = {
            step.judgement.period.last_on.year for step in steps if step.stage.rank >= stage.rank
        }
        yield _recurrence(None, stage, any_leg, reached)
    activated = {episode.first_on.year for episode in episodes}
    yield _recurrence(None, TriggerStage.ACTIVATION, any_leg, activated, activates=True)


def _recurrence(
    leg: int | None,
    stage: TriggerStage,
    years: set[int],
    reached: set[int],
    *,
    activates: bool = False,
) -> Recurrence:
    n = len(years | reached)
    return Recurrence(
        leg=leg,
        stage=stage,
        activates=activates,
        years=n,
        reached=len(reached),
        return_period_years=scores.return_period(years=n, reached=len(reached)),
    )


def _years_judged(trial: Trial, leg: int, steps: Sequence[Step], known: Known) -> set[int]:
    """The calendar years of the span of which the leg could say something.

    Of events, all since the first that is known of: no report is a report of none.
    """
    if known.calendar.frequency is Frequency.EVENT:
        first = timing.first_observed(known)
        if first is None:
            return set()
        return set(range(max(first, trial.first_on).year, trial.last_on.year + 1))
    return {
        step.judgement.period.last_on.year
        for step in steps
        if step.leg == leg and why_unjudged(step.judgement) is None
    }


def _histories(said: Told) -> list[HistoryUsed]:
    used, trial, known = [], said.trial, said.known
    for code in dict.fromkeys(trial.document.indicators):
        figures = known[code].figures
        late, _ = timing.late_share(known[code], first_on=trial.first_on, last_on=trial.last_on)
        used.append(
            HistoryUsed(
                indicator=code,
                figures=len(figures),
                came_after=said.came_after[code],
                first_observed_on=timing.first_observed(known[code]),
                last_observed_on=timing.last_observed(known[code]),
                published_late=late,
                assumed=trial.assume_published_after_days is not None and not figures.forecast,
            )
        )
    return used


def _leg(trial: Trial, position: int, steps: Sequence[Step]) -> LegTried:
    leg = trial.document.legs[position]
    latest: dict[Period, str | None] = {}
    for step in steps:
        # Nobody reporting any more is no period of its own: it says nothing of the history's gaps.
        if not step.is_lapse:
            latest[step.judgement.period] = why_unjudged(step.judgement)
    reasons = Counter(_kind_of(because) for because in latest.values() if because is not None)
    judged = [period.first_on for period, because in latest.items() if because is None]
    return LegTried(
        leg=position,
        indicator=leg.indicator,
        method=leg.method.kind,
        periods=len(latest),
        unjudged=sum(reasons.values()),
        judged_from=min(judged, default=None),
        reasons=[
            Reason(because=because, periods=periods)
            for because, periods in reasons.most_common(_REASONS_TOLD)
        ],
    )


def _kind_of(because: str) -> str:
    """A reason up to what differs from period to period."""
    return because.split(";")[0].rstrip(".") + "."


def _remarks(
    trial: Trial, histories: Sequence[HistoryUsed], legs: Sequence[LegTried], places: Places
) -> Iterable[str]:
    days = trial.assume_published_after_days
    if trial.today is not None and trial.last_on >= trial.today:
        yield (
            f"The span reaches {trial.today}, which is not over: it is told as it is judged so "
            "far. Of what has a calendar, what comes on that day decides when it is over."
        )
    for used in histories:
        if not used.figures and used.came_after:
            yield (
                f"{used.indicator}: all of its {used.came_after:,} figures came out after the "
                "span, and decide nothing in it. To try it as the calendar would have had it, "
                "state assume_published_after_days."
            )
        elif not used.figures:
            yield f"Nothing is known of {used.indicator}: its legs say nothing. Record its history."
        elif used.assumed:
            yield (
                f"{used.indicator}: each figure is taken to have been out {days} days after its "
                "period ended, unless it was out before. Revisions that nobody kept are in it."
            )
        elif used.published_late:
            yield (
                f"{used.indicator}: by figures as they were published later. "
                f"{used.published_late:,} of {used.figures:,} came out more than two months after "
                "what they are about, and decide on the day on which they did. To try it as the "
                "calendar would have had it, state assume_published_after_days."
            )
    for leg in legs:
        if leg.unjudged:
            since = f"judged from {leg.judged_from:%Y-%m} on" if leg.judged_from else "never judged"
            yield (
                f"Leg {leg.leg} ({leg.indicator}): {leg.unjudged} of {leg.periods} periods could "
                f"not be judged, which is no calm; {since}. An event before is a miss all the same."
            )
    if not places.by_area:
        yield "Nobody said who lives where, so there is no money in this report."
    elif any(COUNTRY in event.areas for event in trial.events):
        yield "An event of the whole country is everywhere: no place of it counts as not hit."


def _money(
    activations: Sequence[ActivationTried], events: Sequence[EventTried], places: Places
) -> Money:
    return Money(
        currency=places.currency,
        households=_sum(activation.households for activation in activations),
        amount_minor=_sum(activation.amount_minor for activation in activations),
        households_not_hit=_sum(activation.households_not_hit for activation in activations),
        amount_not_hit_minor=_sum(activation.amount_not_hit_minor for activation in activations),
        households_missed=_sum(
            event.households_missed for event in events if event.fate is not Fate.OUTSIDE
        ),
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    """The sum; None where one of them is not known."""
    listed = list(numbers)
    known = [number for number in listed if number is not None]
    return sum(known) if len(known) == len(listed) else None


def _measures(said: Told, steps: Sequence[Step]) -> Iterable[Measure]:
    """What each leg held against its thresholds: of each period what was said of it first."""
    for position, leg in enumerate(said.trial.document.legs):
        method = method_of(leg.method)
        points: dict[tuple[str, str], dict[date, Point]] = {}
        for step in steps:
            if step.leg != position or step.is_lapse:
                continue
            for measured in method.measured(step.judgement.evidence):
                of_name = points.setdefault((measured.name.en, measured.name.km), {})
                on = step.judgement.period.last_on
                if on in of_name and of_name[on].value is not None:
                    continue
                of_name[on] = Point(
                    on=on,
                    decided_on=step.decided_on,
                    value=measured.value,
                    activation=measured.activation,
                    readiness=measured.readiness,
                )
        for (name, name_km), by_day in points.items():
            listed = [by_day[on] for on in sorted(by_day)]
            yield Measure(
                leg=position,
                name=name,
                name_km=name_km,
                of_events=said.known[leg.indicator].calendar.frequency is Frequency.EVENT,
                points=_thinned(listed),
            )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """All of the span, where there are too many to draw each: a peak is never the one left out."""
    together = -(-len(points) // MAXIMUM_POINTS)
    if together <= 1:
        return list(points)
    return [max(points[at : at + together], key=_height) for at in range(0, len(points), together)]


def _height(point: Point) -> float:
    return -math.inf if point.value is None else point.value
