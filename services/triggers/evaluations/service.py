"""Evaluating triggers by what was known at an instant, and keeping why.

An indicator is due when it has new figures, or when the waiting for a period of it ends. The
instant up to which its figures count is fixed first, under its lock and in a transaction of its
own, which sets aside what of them is doubtful: whatever is recorded later bears a later one. By
then nothing that happens beside the evaluation can change what it sees, and it can be made again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import service as activations
from services.triggers.definitions import service as definitions
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations import repository
from services.triggers.evaluations.acting import Effect, act
from services.triggers.evaluations.digest import digest_of, evaluation_id
from services.triggers.evaluations.due import Known, next_due
from services.triggers.evaluations.episodes import History, Step
from services.triggers.evaluations.history import tell
from services.triggers.evaluations.intent import assigned, closings, doubts, intent_of
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.indicators import service as indicators
from services.triggers.indicators.service import Cut
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.observations import repository as observations
from services.triggers.observations import screening
from services.triggers.readiness import service as readiness
from services.triggers.readiness.service import Ready
from shared.approvals import Steps
from shared.clock import COUNTRY_ZONE, Clock
from shared.database import Database, may_pass
from shared.errors import account_of
from shared.pagination import Page, PageOf

log = structlog.get_logger()

_AGAIN_AFTER = timedelta(minutes=1)
"""When an indicator whose evaluation fails is tried again: its neighbours go on."""


class Judging:
    """Evaluates the triggers of one indicator that is due, at each step."""

    def __init__(self, database: Database, *, steps: Steps, clock: Clock) -> None:
        self._database = database
        self._steps = steps
        self._clock = clock

    async def step(self) -> int:
        """Evaluate what is due longest; 0 when nothing is."""
        async with self._database.transaction() as session:
            due = await indicators.find_due(session, now=self._clock.now())
        if due is None:
            return 0
        try:
            async with self._database.transaction() as session:
                triggers = await definitions.enabled_for(session, due)
                cut = await self._cut(session, due, triggers)
            if cut is None:
                return 1
            async with self._database.transaction() as session:
                await self._evaluate(session, cut, triggers)
        except Exception as error:
            if may_pass(error):
                raise
            log.error("indicator_not_judged", indicator=due, **account_of(error))
            async with self._database.transaction() as session:
                again_at = self._clock.now() + _AGAIN_AFTER
                await indicators.judge_later(session, due, at=again_at)
        return 1

    async def _cut(
        self, session: AsyncSession, due: str, triggers: Sequence[Trigger]
    ) -> Cut | None:
        """Fix what is known, and set aside what of it is doubtful and was not looked at before."""
        read = {due, *(code for trigger in triggers for code in trigger.document.indicators)}
        cut = await indicators.cut_knowledge(session, due, read=read, now=self._clock.now())
        if cut is None:
            return None
        for code in cut.read:
            await screening.screen(
                session,
                code,
                after=cut.screened_until[code],
                until=cut.known_at,
                clock=self._clock,
            )
        return cut

    async def _evaluate(self, session: AsyncSession, cut: Cut, triggers: Sequence[Trigger]) -> None:
        on = day_of(cut.known_at)
        known = await knowledge(session, cut.read, known_at=cut.known_at)
        all_told = True
        for trigger in triggers:
            try:
                # A country's history takes a while to tell, and nothing else may wait for it.
                history = await asyncio.to_thread(tell, trigger.document, known, on=on)
            except Exception as error:
                # What one rule cannot bear concerns that rule: the others on the indicator go on.
                log.error("trigger_not_judged", trigger=trigger.code, **account_of(error))
                all_told = False
                continue
            await repository.lock_trigger(session, trigger.code)
            await self._keep(session, trigger, history, cut=cut, on=on)
        if not all_told:
            again_at = self._clock.now() + _AGAIN_AFTER
            await indicators.judge_later(session, cut.indicator, at=again_at)
            return
        next_on = None
        if triggers:
            documents = [trigger.document for trigger in triggers]
            next_on = next_due(
                known[cut.indicator], on=on, documents=documents, indicator=cut.indicator
            )
        await indicators.judged(session, cut, next_on=next_on)

    async def _keep(
        self, session: AsyncSession, trigger: Trigger, history: History, *, cut: Cut, on: date
    ) -> None:
        """Keep what of a history was not known before, and act on its episodes."""
        oldest_on = on - timedelta(days=trigger.document.judge_within_days)
        recent = {
            evaluation_id(trigger, step): step
            for step in history.steps
            if step.evidence_on >= oldest_on or (step.is_lapse and step.decided_on == on)
        }
        kept = await repository.kept(session, recent.keys())
        new = {id_: step for id_, step in recent.items() if id_ not in kept}
        if not new:
            return
        await readiness.note(
            session,
            trigger,
            [
                Ready(readied_on=span.decided_on, stood_down_on=span.ended_on, areas=span.areas)
                for span in history.readiness
                if (span.latest_on if span.ended_on is None else span.ended_on) >= oldest_on
            ],
            clock=self._clock,
        )
        touched = {step.episode for step in new.values() if step.episode is not None}
        effects = await self._act(session, trigger, history, touched, oldest_on=oldest_on)
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
            rows.append(_row(trigger, id_, step, effect, cut=cut, clock=self._clock))
        await repository.add_evaluations(session, rows)

    async def _act(
        self,
        session: AsyncSession,
        trigger: Trigger,
        history: History,
        touched: set[int],
        *,
        oldest_on: date,
    ) -> Mapping[int, Effect]:
        """Act on the recent episodes of which something new is known, the oldest first."""
        document = trigger.document
        is_over = partial(_is_over, document)
        widens = any(method_of(leg.method).widens for leg in document.legs)
        effects = {}
        for episode in history.episodes:
            if episode.last_on < oldest_on or episode.number not in touched:
                continue
            known = await activations.lock_known(session, trigger.code)
            assignment = assigned(history.episodes, known, is_over=is_over)
            intent = intent_of(episode, known, assignment=assignment, widens=widens)
            effects[episode.number] = await act(
                session, trigger, episode, intent, clock=self._clock
            )
        known = await activations.lock_known(session, trigger.code)
        for closing in closings(history.episodes, known):
            await activations.close_by_evidence(
                session, trigger, closing.activation_id, closing.reason, clock=self._clock
            )
        for doubted in doubts(
            history.episodes,
            [
                activation
                for activation in known
                if activation.evidence.last_on >= oldest_on
                and activation.trigger_version == trigger.version
            ],
            is_over=is_over,
        ):
            await activations.doubt(
                session,
                self._steps,
                trigger,
                doubted.activation_id,
                doubted.because,
                clock=self._clock,
            )
        return effects


async def knowledge(
    session: AsyncSession, codes: Sequence[str], *, known_at: datetime
) -> dict[str, Known]:
    """What was known of some indicators at an instant."""
    found = {}
    for code in codes:
        indicator = await indicators.get(session, code)
        figures = await observations.figures(
            session, code, forecast=indicator.forecast, known_at=known_at
        )
        found[code] = Known(calendar=indicator.calendar, figures=figures)
    return found


def day_of(instant: datetime) -> date:
    """The day in the country's zone on which an instant lies."""
    return instant.astimezone(COUNTRY_ZONE).date()


async def list_page(
    session: AsyncSession, trigger: str, *, stage: TriggerStage | None, page: Page
) -> PageOf[EvaluationOut]:
    """A page of a trigger's evaluations, newest first; raises NotFound."""
    await definitions.get(session, trigger)
    rows = await repository.list_evaluations(
        session,
        trigger,
        stage=stage,
        below=page.after(datetime, date, UUID),
        limit=page.fetch_limit,
    )
    return page.of(
        [EvaluationOut.model_validate(row) for row in rows],
        key=lambda evaluation: (
            evaluation.evaluated_at,
            evaluation.judged_on,
            evaluation.id,
        ),
    )


def _is_over(document: TriggerDocument, *, evidence_to: date, on: date) -> bool:
    """Whether something is too late for evidence by every leg."""
    return all(
        method_of(leg.method).is_over(leg.method, evidence_to=evidence_to, on=on)
        for leg in document.legs
    )


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
