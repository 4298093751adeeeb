"""Carrying out what an evaluation intends."""

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting
from services.triggers.activations.acting import Beginning
from services.triggers.activations.states import Origin
from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations.deciding import Decision
from services.triggers.evaluations.intent import Begin, Nothing, Quiet, Widen
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.methods.judgement import Judgement
from shared.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What was done, to which activation, and why in a few sentences."""

    outcome: Outcome
    explanation: str
    activation_id: UUID | None = None


async def act(
    session: AsyncSession, trigger: Trigger, decision: Decision, *, clock: Clock
) -> Effect:
    """Do what is intended. The trigger's latest activation, if any, is locked by the caller."""
    judgement, intent = decision.judgement, decision.intent
    by = f"trigger:{trigger.code}"
    if intent.closing:
        await acting.close(
            session,
            intent.closing.activation_id,
            by=by,
            reason=intent.closing.reason,
            clock=clock,
        )
    match intent.step:
        case Nothing():
            return Effect(outcome=Outcome.NONE, explanation=judgement.finding)
        case Quiet() as quiet:
            return Effect(
                outcome=Outcome.QUIET,
                activation_id=quiet.activation_id,
                explanation=f"{judgement.finding} {quiet.because}",
            )
        case Widen() as widening:
            return await _widen(session, judgement, widening, by=by, clock=clock)
        case Begin():
            return await _begin(session, trigger, judgement, by=by, clock=clock)
        case other:
            assert_never(other)


async def _widen(
    session: AsyncSession, judgement: Judgement, widening: Widen, *, by: str, clock: Clock
) -> Effect:
    await acting.widen(
        session,
        widening.activation_id,
        widening.areas,
        evidence=judgement.period,
        by=by,
        clock=clock,
    )
    added = (
        f"Added {', '.join(widening.areas)}."
        if widening.areas
        else "Nothing to add to the activation."
    )
    return Effect(
        outcome=Outcome.WIDENED if widening.areas else Outcome.QUIET,
        activation_id=widening.activation_id,
        explanation=f"{judgement.finding} {added}",
    )


async def _begin(
    session: AsyncSession,
    trigger: Trigger,
    judgement: Judgement,
    *,
    by: str,
    clock: Clock,
) -> Effect:
    activation = await acting.begin(
        session,
        trigger,
        Beginning(
            areas=judgement.areas,
            severity=judgement.severity,
            evidence=judgement.period,
            origin=Origin.EVIDENCE,
            reason=judgement.finding,
            proposed_by=by,
        ),
        clock=clock,
    )
    if activation is None:
        return Effect(
            outcome=Outcome.QUIET,
            explanation=f"{judgement.finding} Another activation began at the same moment.",
        )
    return Effect(
        outcome=Outcome.PROPOSED,
        activation_id=activation.id,
        explanation=judgement.finding,
    )
