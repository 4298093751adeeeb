"""When all chunks of a run are done: payments is told its total, and missed rounds are planned."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.planning import plan_later_round
from services.registry.enrolments.tables import EnrolmentRun
from services.registry.entitlements.tables import EntitlementChunk
from services.registry.rounds.tables import PaymentRound
from services.registry.schemes.document import SchemeDocument
from shared.clock import Clock
from shared.contracts.events import EnrolmentCompleted
from shared.events import Event

SOURCE = "/registry"


async def complete_run(
    session: AsyncSession, run_id: UUID, document: SchemeDocument, *, clock: Clock
) -> Event:
    """The event that tells the run's total; plans the later rounds that its households missed."""
    run = (
        await session.execute(
            update(EnrolmentRun)
            .where(EnrolmentRun.id == run_id)
            .values(completed_at=clock.now())
            .returning(EnrolmentRun.activation_id, EnrolmentRun.round)
        )
    ).one()
    chunk = EntitlementChunk
    totals = (
        await session.execute(
            select(
                func.count().filter(chunk.payable_count > 0).label("chunks"),
                func.coalesce(func.sum(chunk.payable_count), 0).label("payable"),
                func.coalesce(func.sum(chunk.payable_minor), 0).label("payable_minor"),
                func.coalesce(func.sum(chunk.unpayable_count), 0).label("unpayable"),
                func.coalesce(func.sum(chunk.excluded_count), 0).label("excluded"),
            ).where(chunk.enrolment_run_id == run_id)
        )
    ).one()
    if run.round == 1:
        await _plan_missed_rounds(session, run_id, activation_id=run.activation_id, clock=clock)
    return EnrolmentCompleted(
        enrolment_id=run_id,
        activation_id=run.activation_id,
        scheme=document.code,
        round=run.round,
        fund=document.fund,
        currency=document.currency,
        chunk_count=totals.chunks,
        households=totals.payable + totals.unpayable + totals.excluded,
        entitlements=totals.payable,
        total_minor=int(totals.payable_minor),
        unpayable=totals.unpayable,
    ).to_event(source=SOURCE, subject=str(run_id), clock=clock)


async def _plan_missed_rounds(
    session: AsyncSession, run_id: UUID, *, activation_id: UUID, clock: Clock
) -> None:
    """Whom a widening enrols after a later round was released gets that round too."""
    missed = await session.scalars(
        select(PaymentRound.number)
        .where(
            PaymentRound.activation_id == activation_id,
            PaymentRound.number > 1,
            PaymentRound.released_at.is_not(None),
        )
        .order_by(PaymentRound.number)
    )
    for number in missed.all():
        await plan_later_round(
            session, activation_id=activation_id, round_number=number, of_run=run_id, clock=clock
        )
