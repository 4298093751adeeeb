"""Evaluating reported households: which events are due, and what to do about each."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import repository as activations_repository
from services.triggers.activations import service as activations
from services.triggers.activations.states import LIVE, Origin, State
from services.triggers.activations.tables import Activation
from services.triggers.activations.window import is_over
from services.triggers.areas import lies_within
from services.triggers.definitions.schemas import TriggerOut
from services.triggers.evaluations.decision import Decision, Effect, Outcome
from services.triggers.methods.reported_impact import (
    ImpactJudgement,
    Report,
    ReportedEvent,
    ReportedImpact,
    events_of,
    judge_impact,
)
from services.triggers.methods.stage import Stage
from shared.clock import Clock

LONGEST_EVENT_DAYS = 366
"""How far back the reports of one event are looked for."""


def events_due(
    reports: Sequence[Report],
    method: ReportedImpact,
    *,
    areas: Sequence[str],
    changed_from: date,
    changed_to: date,
    oldest_on: date,
) -> list[ReportedEvent]:
    """The events that the changed reports belong to, unless they are history, oldest first."""
    inside = [report for report in reports if lies_within(report.area, areas)]
    return [
        event
        for event in events_of(inside, method=method)
        if event.first_on <= changed_to
        and event.last_on >= changed_from
        and event.last_on >= oldest_on
    ]


async def decide(
    session: AsyncSession,
    trigger: TriggerOut,
    method: ReportedImpact,
    *,
    event: ReportedEvent,
    clock: Clock,
) -> Decision:
    """Judge one event, and open, propose or widen its activation where it is due."""
    judgement = judge_impact(event, method=method)
    effect = await _act(session, trigger, method, event=event, judgement=judgement, clock=clock)
    return Decision(
        judged_on=event.last_on,
        stage=judgement.stage,
        effect=effect,
        evidence=_evidence(event, judgement, method=method),
    )


async def _act(
    session: AsyncSession,
    trigger: TriggerOut,
    method: ReportedImpact,
    *,
    event: ReportedEvent,
    judgement: ImpactJudgement,
    clock: Clock,
) -> Effect:
    by = f"trigger:{trigger.code}"
    finding = _finding(judgement, method=method)
    latest = await activations_repository.lock_latest(session, trigger.code)
    is_later = latest is not None and is_over(
        method, evidence_to=latest.evidence_to, on=event.first_on
    )
    if latest is not None and is_later and latest.state in LIVE:
        await activations.close(
            session, latest, by=by, reason="Reports of a later event came.", clock=clock
        )
    if judgement.stage is not Stage.ACTIVATION:
        return Effect(outcome=Outcome.NONE, explanation=finding)
    if latest is not None and not is_later:
        if is_over(method, evidence_to=event.last_on, on=latest.evidence_from):
            return Effect(
                outcome=Outcome.QUIET,
                activation_id=latest.id,
                explanation=f"{finding} These reports came after a later event was activated.",
            )
        effect = await _about_the_same_event(
            session, latest, event=event, judgement=judgement, finding=finding, clock=clock
        )
        if effect is not None:
            return effect
    activation = await activations.begin(
        session,
        trigger,
        activations.Proposal(
            areas=judgement.areas,
            severity=judgement.severity,
            evidence_from=event.first_on,
            evidence_to=event.last_on,
            origin=Origin.EVIDENCE,
            reason=finding,
            proposed_by=by,
        ),
        clock=clock,
    )
    if activation is None:
        return Effect(
            outcome=Outcome.QUIET,
            explanation=f"{finding} Another activation began at the same moment.",
        )
    opened = activation.state == State.OPEN
    return Effect(
        outcome=Outcome.OPENED if opened else Outcome.PROPOSED,
        activation_id=activation.id,
        explanation=finding,
    )


async def _about_the_same_event(
    session: AsyncSession,
    latest: Activation,
    *,
    event: ReportedEvent,
    judgement: ImpactJudgement,
    finding: str,
    clock: Clock,
) -> Effect | None:
    """What becomes of the event's activation; None where it was declined and more is known now."""
    if latest.state in LIVE:
        added = await activations.widen(
            session,
            latest,
            judgement.areas,
            evidence_from=event.first_on,
            evidence_to=event.last_on,
            by=f"trigger:{latest.trigger_code}",
            clock=clock,
        )
        return Effect(
            outcome=Outcome.WIDENED if added else Outcome.QUIET,
            activation_id=latest.id,
            explanation=f"{finding} Added {', '.join(added)}."
            if added
            else f"{finding} Nothing to add to the activation.",
        )
    if latest.state == State.DECLINED and event.last_on > latest.evidence_to:
        return None
    return Effect(
        outcome=Outcome.QUIET,
        activation_id=latest.id,
        explanation=f"{finding} The activation of this event is {latest.state}.",
    )


def _finding(judgement: ImpactJudgement, *, method: ReportedImpact) -> str:
    counted = sum(figure.report.households is not None for figure in judgement.figures)
    named = len(judgement.figures) - counted
    return (
        f"{judgement.national_households} households reported in {counted} areas, "
        f"{named} more named without a figure; "
        f"the threshold is {method.activation.national_threshold_households}."
    )


def _evidence(
    event: ReportedEvent, judgement: ImpactJudgement, *, method: ReportedImpact
) -> dict[str, Any]:
    return {
        "method": method.kind,
        "reported_from": event.first_on.isoformat(),
        "reported_to": event.last_on.isoformat(),
        "national_households": judgement.national_households,
        "areas": [
            {
                "area": figure.report.area,
                "households": figure.report.households,
                "source": figure.report.source,
                "reported_on": figure.report.reported_on.isoformat(),
                "revision": figure.report.revision,
                "taken_in": figure.taken_in,
            }
            for figure in judgement.figures
        ],
        "thresholds": method.model_dump(mode="json"),
    }
