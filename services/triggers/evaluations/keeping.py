"""Keeping what of several triggers' histories was not known before, and acting on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import service as activations
from services.triggers.activations.known import KnownActivation
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations import repository
from services.triggers.evaluations.acting import Effect, act
from services.triggers.evaluations.digest import digest_of, evaluation_id
from services.triggers.evaluations.episodes import Step
from services.triggers.evaluations.history import KEPT_DAYS, Told
from services.triggers.evaluations.intent import (
    Quiet,
    Withheld,
    assigned,
    closings,
    doubts,
    intent_of,
)
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.evaluations.repository import KeptStanding
from services.triggers.evaluations.standing import STANDING
from services.triggers.indicators.service import Cut
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.readiness import service as readiness
from services.triggers.readiness.service import Ready
from shared.approvals import Steps
from shared.clock import Clock
from shared.version import VERSION

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """A trigger, and what it had to say by what was known on a day."""

    trigger: Trigger
    told: Told
    on: date

    @property
    def oldest_on(self) -> date:
        """Evidence that ended before is history: nothing is done about it."""
        return self.on - timedelta(days=self.trigger.document.judge_within_days)

    def recent(self) -> dict[UUID, Step]:
        """The steps that are kept, by the ids of their evaluations."""
        return {
            evaluation_id(self.trigger, step): step
            for step in self.told.history.steps
            if step.evidence_on >= self.oldest_on or (step.is_lapse and step.decided_on == self.on)
        }

    def lapses(self) -> list[tuple[str, date]]:
        """The next days on which time alone makes something due, each with its indicator."""
        legs = self.trigger.document.legs
        return [
            (leg.indicator, day)
            for leg, day in zip(legs, self.told.lapses_on, strict=True)
            if day is not None
        ]

    def readiness(self) -> list[tuple[Trigger, Ready]]:
        """The spans of readiness that are not history."""
        return [
            (
                self.trigger,
                Ready(readied_on=span.decided_on, stood_down_on=span.ended_on, areas=span.areas),
            )
            for span in self.told.history.readiness
            if (span.latest_on if span.ended_on is None else span.ended_on) >= self.oldest_on
        ]

    def standings(self, *, waits_from: date | None) -> list[KeptStanding]:
        """From where the history is told on: of no day on which something of it waits."""
        return [
            KeptStanding(
                trigger_code=self.trigger.code,
                trigger_version=self.trigger.version,
                told_to=standing.told_to,
                standing=STANDING.dump_json(standing).decode(),
            )
            for standing in self.told.standings
            if waits_from is None or standing.told_to < waits_from
        ]


async def keep(
    session: AsyncSession,
    evaluated: Sequence[Evaluated],
    *,
    cut: Cut,
    on: date,
    steps: Steps,
    clock: Clock,
) -> None:
    """Keep what is new in these histories, act on their episodes, and keep where they stand.

    Together: a step is kept before a standing says that it is told. Each of the triggers is this
    transaction's alone until it ends.
    """
    await repository.lock_triggers(session, [each.trigger.code for each in evaluated])
    recent = [each.recent() for each in evaluated]
    kept = await repository.kept(session, [id_ for found in recent for id_ in found])
    news = [
        (each, {id_: step for id_, step in found.items() if id_ not in kept})
        for each, found in zip(evaluated, recent, strict=True)
    ]
    news = [(each, new) for each, new in news if new]
    await readiness.note(
        session, [span for each, _ in news for span in each.readiness()], clock=clock
    )
    known = await activations.lock_known(session, [each.trigger.code for each, _ in news])
    rows = []
    waiting: dict[str, date] = {}
    for each, new in news:
        touched = {step.episode for step in new.values() if step.episode is not None}
        acted = await _act(
            session,
            each,
            touched,
            known=known[each.trigger.code],
            known_at=cut.known_at,
            steps=steps,
            clock=clock,
        )
        if acted.waits_from is not None:
            # What waits is as new as it is now when it is judged again.
            waits_from = min(acted.waits_from, max(step.decided_on for step in new.values()))
            waiting[each.trigger.code] = waits_from
            new = {id_: step for id_, step in new.items() if step.decided_on < waits_from}
        rows += _rows(each.trigger, new, acted.effects, cut=cut, clock=clock)
    await repository.add_evaluations(session, rows)
    await repository.keep_standings(
        session,
        [
            standing
            for each in evaluated
            for standing in each.standings(waits_from=waiting.get(each.trigger.code))
        ],
        known_at=cut.known_at,
        told_by=VERSION,
        oldest=on - timedelta(days=KEPT_DAYS),
    )


@dataclass(frozen=True, kw_only=True)
class _Acted:
    """What was done about the episodes of a history."""

    effects: Mapping[int, Effect]
    waits_from: date | None
    """From which day of decision on it waits for an activation to be weighed; None: it does not."""


async def _act(
    session: AsyncSession,
    evaluated: Evaluated,
    touched: set[int],
    *,
    known: Sequence[KnownActivation],
    known_at: datetime,
    steps: Steps,
    clock: Clock,
) -> _Acted:
    """Act on the recent episodes of which something new is known, the oldest first.

    `known` are the trigger's activations, locked. An event ends no activation of an earlier one
    that has not been weighed yet: it waits, so that two events that become known together are both
    opened, or asked about, one after the other, as they would have been on their days.
    """
    trigger, history = evaluated.trigger, evaluated.told.history
    is_over = partial(_is_over, trigger.document)
    widens = any(method_of(leg.method).widens for leg in trigger.document.legs)
    effects: dict[int, Effect] = {}
    for episode in history.episodes:
        if episode.last_on < evaluated.oldest_on or episode.number not in touched:
            continue
        assignment = assigned(history.episodes, known, is_over=is_over)
        intent = intent_of(episode, known, assignment=assignment, widens=widens)
        if intent.closing and intent.closing.activation_id in _unweighed(known):
            await activations.judge_once_weighed(session, intent.closing.activation_id, at=known_at)
            return _Acted(effects=effects, waits_from=episode.decided_on)
        effects[episode.number] = await act(session, trigger, episode, intent, clock=clock)
        if not isinstance(intent.act, Quiet | Withheld):
            known = (await activations.lock_known(session, [trigger.code]))[trigger.code]
    waits_from = await _close_and_doubt(
        session, evaluated, known=known, known_at=known_at, steps=steps, clock=clock
    )
    return _Acted(effects=effects, waits_from=waits_from)


async def _close_and_doubt(
    session: AsyncSession,
    evaluated: Evaluated,
    *,
    known: Sequence[KnownActivation],
    known_at: datetime,
    steps: Steps,
    clock: Clock,
) -> date | None:
    """Close live activations whose event is over, and doubt those that would not begin now.

    Returns from which day of decision on something waits for one to be weighed.
    """
    trigger, history = evaluated.trigger, evaluated.told.history
    waits_from = None
    for closing in closings(history.episodes, known):
        if closing.activation_id in _unweighed(known):
            await activations.judge_once_weighed(session, closing.activation_id, at=known_at)
            waits_from = closing.ended_on
            continue
        await activations.close_by_evidence(
            session, trigger, closing.activation_id, closing.reason, clock=clock
        )
    recent = [
        activation
        for activation in known
        if activation.evidence.last_on >= evaluated.oldest_on
        and activation.trigger_version == trigger.version
    ]
    is_over = partial(_is_over, trigger.document)
    for doubted in doubts(history.episodes, recent, is_over=is_over):
        await activations.doubt(
            session, steps, trigger, doubted.activation_id, doubted.because, clock=clock
        )
    return waits_from


def _unweighed(known: Sequence[KnownActivation]) -> set[UUID]:
    return {activation.id for activation in known if activation.is_unweighed}


def _is_over(document: TriggerDocument, *, evidence_to: date, on: date) -> bool:
    """Whether something is too late for evidence by every leg."""
    return all(
        method_of(leg.method).is_over(leg.method, evidence_to=evidence_to, on=on)
        for leg in document.legs
    )


def _rows(
    trigger: Trigger,
    new: Mapping[UUID, Step],
    effects: Mapping[int, Effect],
    *,
    cut: Cut,
    clock: Clock,
) -> list[dict[str, object]]:
    last_of = {step.episode: id_ for id_, step in new.items()}
    rows = []
    for id_, step in new.items():
        effect = _effect_on(step, effects, is_last=last_of.get(step.episode) == id_)
        if step.judgement.unjudged is not None:
            log.warning(
                "period_not_judged",
                trigger=trigger.code,
                period=step.judgement.period.last_on.isoformat(),
            )
        rows.append(_row(trigger, id_, step, effect, cut=cut, clock=clock))
    return rows


def _effect_on(step: Step, effects: Mapping[int, Effect], *, is_last: bool) -> Effect:
    """What was done about a step: the last of its episode brought about what was done for it."""
    if step.judgement.unjudged is not None:
        return Effect(outcome=Outcome.UNJUDGED)
    effect = None if step.episode is None else effects.get(step.episode)
    if effect is None:
        return Effect(
            outcome=Outcome.NONE if step.stage is not TriggerStage.ACTIVATION else Outcome.QUIET,
            because=step.because,
        )
    if is_last:
        return effect
    return Effect(
        outcome=Outcome.QUIET,
        activation_id=effect.activation_id,
        because="What was known after it decided together with it.",
    )


def _row(
    trigger: Trigger, id_: UUID, step: Step, effect: Effect, *, cut: Cut, clock: Clock
) -> dict[str, object]:
    judgement = step.judgement
    return {
        "id": id_,
        "trigger_code": trigger.code,
        "trigger_version": trigger.version,
        "leg": step.leg,
        "judged_from": judgement.period.first_on,
        "judged_on": judgement.period.last_on,
        "decided_on": step.decided_on,
        "known_at": cut.known_at,
        "digest": digest_of(step),
        "evaluated_at": clock.now(),
        "stage": step.stage,
        "leg_stage": judgement.stage,
        "unjudged": judgement.unjudged,
        "outcome": effect.outcome,
        "activation_id": effect.activation_id,
        "explanation": " ".join(part for part in (judgement.finding, effect.because) if part),
        "evidence": judgement.evidence,
    }
