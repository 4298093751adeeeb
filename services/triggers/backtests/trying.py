"""A trigger tried on history, as it was known on each day: pure.

What it would have decided is told by the function that decides live. Beside that stands what
really happened, and what it would have cost.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.triggers.areas import COUNTRY
from services.triggers.backtests import scores, timing
from services.triggers.backtests.happened import (
    activations_tried,
    event_tried,
    money_of,
    scores_of,
)
from services.triggers.backtests.places import Places
from services.triggers.backtests.report import (
    HistoryUsed,
    LegTried,
    Measure,
    Point,
    Reason,
    Recurrence,
    Report,
)
from services.triggers.backtests.trial import Told, Trial, told, why_unjudged
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.episodes import Episode, Step
from services.triggers.methods.calendar import Frequency
from services.triggers.methods.judgement import Period
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage

MAXIMUM_POINTS = 4_000
"""Of one measure; of a longer one the highest of every so many in a row are kept."""
_REASONS_TOLD = 3


def backtest(trial: Trial, known: Mapping[str, Known], places: Places) -> Report:
    """The report of a trial.

    `places` says who would be enrolled where, as the scheme and the area filter have it.
    """
    return report_of(told(trial, known), places)


def report_of(said: Told, places: Places) -> Report:
    """What was said beside what happened, and its money."""
    trial, steps, episodes = said.trial, said.steps, said.episodes
    activations = activations_tried(trial, episodes, places)
    events = [event_tried(trial, event, steps, episodes, places) for event in trial.events]
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
        scores=scores_of(trial, activations, events, steps),
        recurrences=list(_recurrences(trial, steps, episodes, said.known)),
        money=money_of(activations, events, places),
        measures=list(_measures(said, steps)),
    )


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
