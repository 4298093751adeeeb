"""Evaluating a price trigger: which months are due, and what to do about each."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import repository as activations_repository
from services.triggers.activations import service as activations
from services.triggers.activations.states import LIVE, Origin, State
from services.triggers.definitions.schemas import TriggerOut
from services.triggers.evaluations.decision import Decision, Effect, Outcome
from services.triggers.methods.alps import Alps
from services.triggers.methods.ifpa import Ifpa
from services.triggers.methods.national_price import (
    MonthlyPrices,
    NationalMonth,
    month_after,
    national_prices,
)
from services.triggers.methods.price_spike import (
    PriceJudgement,
    PriceSpike,
    judge_price,
    why_rearmed,
)
from services.triggers.methods.stage import Stage
from services.triggers.methods.unjudged import Unjudged
from shared.clock import Clock

# What a reader needs beside the two indicators: the months that IFPA compares, and between.
_MONTHS_SHOWN = 13


def months_due(
    months: Sequence[NationalMonth], *, changed_from: date, today: date, judge_within_days: int
) -> list[date]:
    """The months to judge after a change: from the changed one on, unless they are history."""
    oldest_end = today - timedelta(days=judge_within_days)
    return [
        entry.month
        for entry in months
        if entry.month >= changed_from.replace(day=1)
        and month_after(entry.month, months=1) - timedelta(days=1) >= oldest_end
    ]


async def decide(
    session: AsyncSession,
    trigger: TriggerOut,
    method: PriceSpike,
    *,
    months: Sequence[NationalMonth],
    month: date,
    clock: Clock,
) -> Decision:
    """Judge one month, and open or propose an activation where it is due."""
    prices = national_prices(months, minimum_markets=method.minimum_markets)
    judgement = judge_price(prices, month, method=method)
    effect = await _act(session, trigger, method, prices=prices, judgement=judgement, clock=clock)
    return Decision(
        judged_on=month,
        stage=judgement.stage,
        effect=effect,
        evidence=_evidence(months, judgement, method=method),
    )


async def _act(
    session: AsyncSession,
    trigger: TriggerOut,
    method: PriceSpike,
    *,
    prices: MonthlyPrices,
    judgement: PriceJudgement,
    clock: Clock,
) -> Effect:
    by = f"trigger:{trigger.code}"
    finding = _finding(judgement, method=method)
    latest = await activations_repository.lock_latest(session, trigger.code)
    if latest is not None and latest.state == State.DECLINED:
        if judgement.stage is Stage.ACTIVATION and judgement.month <= latest.evidence_to:
            return Effect(
                outcome=Outcome.QUIET,
                activation_id=latest.id,
                explanation=f"{finding} A person declined to activate on this evidence.",
            )
    elif latest is not None:
        rearmed = why_rearmed(
            prices, fired=latest.evidence_to, month=judgement.month, method=method
        )
        if rearmed is None:
            if judgement.stage is not Stage.ACTIVATION:
                return Effect(outcome=Outcome.NONE, explanation=finding)
            return Effect(
                outcome=Outcome.QUIET,
                activation_id=latest.id,
                explanation=f"{finding} The trigger is quiet: it fired for "
                f"{latest.evidence_to:%Y-%m} already.",
            )
        if latest.state in LIVE:
            await activations.close(session, latest, by=by, reason=rearmed, clock=clock)
    if judgement.stage is not Stage.ACTIVATION:
        return Effect(outcome=Outcome.NONE, explanation=finding)
    activation = await activations.begin(
        session,
        trigger,
        activations.Proposal(
            areas=tuple(trigger.document.areas),
            severity=judgement.severity,
            evidence_from=judgement.month,
            evidence_to=judgement.month,
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


def _finding(judgement: PriceJudgement, *, method: PriceSpike) -> str:
    return (
        f"{judgement.month:%Y-%m}: "
        f"ALPS {_number(judgement.alps)} (activation from {method.activation.alps}), "
        f"IFPA {_number(judgement.ifpa)} (from {method.activation.ifpa}), "
        f"{method.activation.require} required: {_STAGE_WORDS[judgement.stage]}"
    )


_STAGE_WORDS = {
    Stage.NONE: "below the thresholds.",
    Stage.READINESS: "readiness.",
    Stage.ACTIVATION: "activation.",
}


def _number(judged: Alps | Ifpa | Unjudged) -> str:
    return "unknown" if isinstance(judged, Unjudged) else f"{judged.value:.2f}"


def _evidence(
    months: Sequence[NationalMonth], judgement: PriceJudgement, *, method: PriceSpike
) -> dict[str, Any]:
    shown_from = month_after(judgement.month, months=1 - _MONTHS_SHOWN)
    return {
        "method": method.kind,
        "month": judgement.month.isoformat(),
        "national_prices": [
            {
                "month": entry.month.isoformat(),
                "median": entry.median,
                "markets": entry.markets,
                "counts": entry.markets >= method.minimum_markets,
            }
            for entry in months
            if shown_from <= entry.month <= judgement.month
        ],
        "alps": _alps_evidence(judgement.alps),
        "ifpa": _ifpa_evidence(judgement.ifpa),
        "thresholds": method.model_dump(mode="json"),
    }


def _alps_evidence(spike: Alps | Unjudged) -> dict[str, Any]:
    if isinstance(spike, Unjudged):
        return {"unjudged": spike.reason}
    return {**asdict(spike), "band": spike.band.value}


def _ifpa_evidence(growth: Ifpa | Unjudged) -> dict[str, Any]:
    if isinstance(growth, Unjudged):
        return {"unjudged": growth.reason}
    return {**asdict(growth), "band": growth.band.value}
