"""What was said beside what really happened: how well that was, and what it would have cost."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from services.triggers.backtests import scores
from services.triggers.backtests.document import RealEvent
from services.triggers.backtests.places import Place, Places, overlap
from services.triggers.backtests.report import (
    ActivationTried,
    EventTried,
    Fate,
    Met,
    Money,
    Scores,
)
from services.triggers.backtests.trial import Trial, hits
from services.triggers.evaluations.episodes import Episode, Step
from services.triggers.methods.judgement import Period
from services.triggers.methods.trigger_stage import TriggerStage


def activations_tried(
    trial: Trial, episodes: Sequence[Episode], places: Places
) -> list[ActivationTried]:
    """Each activation, with the events that it met and what it would have paid."""
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


def event_tried(
    trial: Trial,
    event: RealEvent,
    steps: Sequence[Step],
    episodes: Sequence[Episode],
    places: Places,
) -> EventTried:
    """An event, and whether the trigger would have seen it."""
    met = [episode for episode in episodes if hits(trial, episode, event)]
    fate = Fate.HIT if met else Fate.MISSED
    if not trial.holds(event.first_on):
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


def scores_of(
    trial: Trial,
    activations: Sequence[ActivationTried],
    events: Sequence[EventTried],
    steps: Sequence[Step],
) -> Scores:
    """How well it did, over all events and activations."""
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


def money_of(
    activations: Sequence[ActivationTried], events: Sequence[EventTried], places: Places
) -> Money:
    """What it would have paid, and to whom it would not."""
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
