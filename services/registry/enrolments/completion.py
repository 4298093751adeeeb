"""When all chunks of a run are done: payments is told its total, and missed rounds are planned."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.repository import released_later_rounds
from services.registry.chunks import repository as chunks
from services.registry.chunks.planning import plan_later_round
from services.registry.schemes.document import SchemeDocument
from shared.clock import Clock
from shared.contracts.events import EnrolmentCompleted


async def complete_run(
    session: AsyncSession, run_id: UUID, document: SchemeDocument, *, clock: Clock
) -> EnrolmentCompleted:
    """The fact that tells the run's total; plans the later rounds that its households missed."""
    run = await chunks.complete_run(session, run_id, at=clock.now())
    sums = await chunks.sums_of_run(session, run_id)
    if run.round == 1:
        # Whom a widening enrols after a later round was released gets that round too.
        for number in await released_later_rounds(session, run.activation_id):
            await plan_later_round(
                session,
                activation_id=run.activation_id,
                round_number=number,
                of_run=run_id,
                clock=clock,
            )
    return EnrolmentCompleted(
        enrolment_id=run_id,
        activation_id=run.activation_id,
        scheme=document.code,
        round=run.round,
        fund=document.fund,
        currency=document.currency,
        chunk_count=sums.announced,
        households=sums.payable + sums.unpayable + sums.excluded,
        entitlements=sums.payable,
        total_minor=int(sums.payable_minor),
        unpayable=sums.unpayable,
    )
