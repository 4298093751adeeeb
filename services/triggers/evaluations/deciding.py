"""What an evaluation decides, by what is known: pure, so that history can be judged by it again."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.triggers.activations.latest import LatestActivation
from services.triggers.definitions.document import TriggerDocument
from services.triggers.evaluations.intent import Intent, Predecessor, intent_of
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.registry import method_of


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the data say of a period, and what is to be done about it."""

    judgement: Judgement
    intent: Intent


def periods_due(
    document: TriggerDocument, series: Any, *, changed: Period, today: date
) -> list[Period]:
    """The periods to judge after a change, oldest first. `series` is what the leg's method read."""
    leg = document.leg
    return method_of(leg.method).due(
        series,
        leg.method,
        areas=document.areas,
        changed=changed,
        oldest_on=today - timedelta(days=document.judge_within_days),
    )


def decide(
    document: TriggerDocument, series: Any, *, period: Period, latest: LatestActivation | None
) -> Decision:
    """Judge a period, and say what is to be done where `latest` is the trigger's activation."""
    leg = document.leg
    method = method_of(leg.method)
    judgement = method.judge(series, leg.method, period=period, areas=document.areas)
    predecessor = None
    if latest is not None:
        continuation = method.continues(series, leg.method, period=period, earlier=latest.evidence)
        predecessor = Predecessor(activation=latest, continuation=continuation)
    intent = intent_of(judgement, predecessor=predecessor, widens=method.widens)
    return Decision(judgement=judgement, intent=intent)
