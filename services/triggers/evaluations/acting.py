"""Carrying out what is intended about an episode."""

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting
from services.triggers.activations.acting import Beginning
from services.triggers.activations.states import Origin
from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations.episodes import Episode
from services.triggers.evaluations.intent import Begin, Intent, Quiet, Widen, Withheld
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.methods.judgement import Period
from shared.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What was done, to which activation, and what there is to say beside the finding."""

    outcome: Outcome
    activation_id: UUID | None = None
    because: str | None = None


async def act(
    session: AsyncSession, trigger: Trigger, episode: Episode, intent: Intent, *, clock: Clock
) -> Effect:
    """Do what is intended. The trigger's activations are locked by the caller."""
    by = f"trigger:{trigger.code}"
    if intent.closing:
        await acting.close(
            session,
            intent.closing.activation_id,
            by=by,
            reason=intent.closing.reason,
            clock=clock,
        )
    match intent.act:
        case Quiet() as quiet:
            return Effect(
                outcome=Outcome.QUIET, activation_id=quiet.activation_id, because=quiet.because
            )
        case Withheld() as withheld:
            return Effect(outcome=Outcome.QUIET, because=withheld.because)
        case Widen() as widening:
            return await _widen(session, episode, widening, by=by, clock=clock)
        case Begin():
            return await _begin(session, trigger, episode, by=by, clock=clock)
        case other:
            assert_never(other)


async def _widen(
    session: AsyncSession, episode: Episode, widening: Widen, *, by: str, clock: Clock
) -> Effect:
    await acting.widen(
        session,
        widening.activation_id,
        widening.areas,
        evidence=_evidence_of(episode),
        by=by,
        clock=clock,
    )
    said = [f"Added {', '.join(widening.areas)}."] if widening.areas else []
    if widening.severity is not None:
        await acting.raise_severity(
            session,
            widening.activation_id,
            widening.severity,
            by=by,
            reason=episode.finding,
            clock=clock,
        )
        said.append(f"Its severity is {widening.severity} now.")
    if widening.areas:
        outcome = Outcome.WIDENED
    else:
        outcome = Outcome.QUIET if widening.severity is None else Outcome.RAISED
    return Effect(
        outcome=outcome,
        activation_id=widening.activation_id,
        because=" ".join(said) or "Nothing to add to the activation.",
    )


async def _begin(
    session: AsyncSession, trigger: Trigger, episode: Episode, *, by: str, clock: Clock
) -> Effect:
    activation = await acting.begin(
        session,
        trigger,
        Beginning(
            areas=episode.areas,
            severity=episode.severity,
            evidence=_evidence_of(episode),
            origin=Origin.EVIDENCE,
            reason=episode.finding,
            proposed_by=by,
        ),
        clock=clock,
    )
    if activation is None:
        return Effect(outcome=Outcome.QUIET, because="Another activation began at the same moment.")
    return Effect(outcome=Outcome.PROPOSED, activation_id=activation.id)


def _evidence_of(episode: Episode) -> Period:
    return Period(first_on=episode.first_on, last_on=episode.last_on)
