"""Evaluating the triggers of an indicator that has new values, and keeping why."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import service as activations
from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations import repository
from services.triggers.evaluations.acting import Effect, act
from services.triggers.evaluations.deciding import decide, periods_due
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage
from shared.clock import Clock
from shared.contracts.events import ObservationsRecorded
from shared.ids import new_id
from shared.pagination import Page, PageOf


async def evaluate(
    session: AsyncSession, recorded: ObservationsRecorded, *, event_id: UUID, clock: Clock
) -> None:
    """Evaluate the indicator's enabled triggers; an event that comes twice changes nothing."""
    changed = Period(first_on=recorded.first_on, last_on=recorded.last_on)
    for trigger in await definitions.enabled_for(session, recorded.indicator):
        if not await repository.is_evaluated(session, event_id=event_id, trigger=trigger.code):
            await _evaluate(session, trigger, changed, event_id=event_id, clock=clock)


async def list_page(
    session: AsyncSession, trigger: str, *, stage: TriggerStage | None, page: Page
) -> PageOf[EvaluationOut]:
    """A page of a trigger's evaluations, newest first; raises NotFound."""
    await definitions.get(session, trigger)
    rows = await repository.list_evaluations(
        session, trigger, stage=stage, below=page.after(UUID), limit=page.fetch_limit
    )
    return page.of(
        [EvaluationOut.model_validate(row) for row in rows],
        key=lambda evaluation: (evaluation.id,),
    )


async def _evaluate(
    session: AsyncSession, trigger: Trigger, changed: Period, *, event_id: UUID, clock: Clock
) -> None:
    """Decide on each period that is due after a change, act, and keep why."""
    leg = trigger.document.leg
    series = await method_of(leg.method).read(session, leg.indicator, changed=changed)
    due = periods_due(trigger.document, series, changed=changed, today=clock.today())
    for period in due:
        latest = await activations.lock_latest(session, trigger.code)
        decision = decide(trigger.document, series, period=period, latest=latest)
        effect = await act(session, trigger, decision, clock=clock)
        await _keep(session, trigger, decision.judgement, effect, event_id=event_id, clock=clock)


async def _keep(
    session: AsyncSession,
    trigger: Trigger,
    judgement: Judgement,
    effect: Effect,
    *,
    event_id: UUID,
    clock: Clock,
) -> None:
    await repository.add_evaluation(
        session,
        {
            "id": new_id(),
            "event_id": event_id,
            "trigger_code": trigger.code,
            "trigger_version": trigger.version,
            "judged_on": judgement.period.last_on,
            "evaluated_at": clock.now(),
            "stage": judgement.stage,
            "outcome": effect.outcome,
            "activation_id": effect.activation_id,
            "explanation": effect.explanation,
            "evidence": judgement.evidence,
        },
    )
