"""Evaluating the triggers of an indicator that has new values, and keeping why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import TriggerOut
from services.triggers.evaluations import impact, price, repository
from services.triggers.evaluations.decision import Decision
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.methods.price_spike import PriceSpike
from services.triggers.methods.reported_impact import ReportedImpact
from services.triggers.methods.stage import Stage
from services.triggers.observations import repository as observations
from shared.clock import Clock
from shared.contracts.events import ObservationsRecorded
from shared.ids import new_id
from shared.pagination import Page, PageOf, decode_cursor, page_of


async def evaluate(
    session: AsyncSession, recorded: ObservationsRecorded, *, event_id: UUID, clock: Clock
) -> None:
    """Evaluate the indicator's enabled triggers; an event that comes twice changes nothing."""
    for trigger in await definitions.enabled_for(session, recorded.indicator):
        async for decision in _decisions(
            session, trigger, recorded, event_id=event_id, clock=clock
        ):
            await _keep(session, trigger, decision, event_id=event_id, clock=clock)


async def list_page(
    session: AsyncSession, trigger: str, *, stage: Stage | None, page: Page
) -> PageOf[EvaluationOut]:
    """A page of a trigger's evaluations, newest first; raises NotFound."""
    await definitions.get(session, trigger)
    (below,) = decode_cursor(page.cursor, UUID) if page.cursor else (None,)
    rows = await repository.list_evaluations(
        session, trigger, stage=stage, below=below, limit=page.limit + 1
    )
    return page_of(
        [EvaluationOut.model_validate(row) for row in rows],
        page=page,
        key=lambda evaluation: (evaluation.id,),
    )


async def _decisions(
    session: AsyncSession,
    trigger: TriggerOut,
    recorded: ObservationsRecorded,
    *,
    event_id: UUID,
    clock: Clock,
) -> AsyncIterator[Decision]:
    if await repository.is_evaluated(session, event_id=event_id, trigger=trigger.code):
        return
    judge_within_days = trigger.document.judge_within_days
    match trigger.document.method:
        case PriceSpike() as method:
            months = await observations.national_months(session, recorded.indicator)
            for month in price.months_due(
                months,
                changed_from=recorded.first_on,
                today=clock.today(),
                judge_within_days=judge_within_days,
            ):
                yield await price.decide(
                    session, trigger, method, months=months, month=month, clock=clock
                )
        case ReportedImpact() as method:
            reports = await observations.reports(
                session,
                recorded.indicator,
                reported_from=recorded.first_on - timedelta(days=impact.LONGEST_EVENT_DAYS),
            )
            for event in impact.events_due(
                reports,
                method,
                areas=trigger.document.areas,
                changed_from=recorded.first_on,
                changed_to=recorded.last_on,
                oldest_on=clock.today() - timedelta(days=judge_within_days),
            ):
                yield await impact.decide(session, trigger, method, event=event, clock=clock)
        case other:
            assert_never(other)


async def _keep(
    session: AsyncSession,
    trigger: TriggerOut,
    decision: Decision,
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
            "judged_on": decision.judged_on,
            "evaluated_at": clock.now(),
            "stage": decision.stage.value,
            "outcome": decision.effect.outcome.value,
            "activation_id": decision.effect.activation_id,
            "explanation": decision.effect.explanation,
            "evidence": decision.evidence,
        },
    )
