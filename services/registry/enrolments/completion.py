"""What payments is told of chunks and of complete runs; what else the end of a run sets going."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.repository import released_later_rounds
from services.registry.chunks import repository as chunks
from services.registry.chunks.planning import plan_later_round
from services.registry.chunks.tables import EnrolmentRun, EntitlementChunk
from services.registry.enrolments.ceilings import ask, exceeds
from services.registry.schemes.document import SchemeDocument
from shared.approvals import Steps
from shared.clock import Clock
from shared.contracts.events import EnrolmentCompleted, EntitlementsReady
from shared.events import Published


async def end_run(
    session: AsyncSession, run_id: UUID, document: SchemeDocument, *, steps: Steps, clock: Clock
) -> list[Published]:
    """What is told of a run that is worked out: its total, or nothing where it is held.

    What takes its activation above the ceiling is held until a second person lets it through.
    """
    run = await chunks.find_run(session, run_id)
    assert run is not None
    if await exceeds(session, run):
        await ask(session, run, document, steps=steps, clock=clock)
        return []
    return [await complete_run(session, run_id, document, clock=clock)]


async def complete_run(
    session: AsyncSession, run_id: UUID, document: SchemeDocument, *, clock: Clock
) -> EnrolmentCompleted:
    """The fact that tells the run's total; plans the later rounds that its households missed."""
    run = await chunks.complete_run(session, run_id, at=clock.now())
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
    return await completion_of(session, run, document)


async def completion_of(
    session: AsyncSession, run: EnrolmentRun, document: SchemeDocument
) -> EnrolmentCompleted:
    """The fact that tells a complete run's total; the same whenever it is told."""
    sums = await chunks.sums_of_run(session, run.id)
    return EnrolmentCompleted(
        enrolment_id=run.id,
        activation_id=run.activation_id,
        scheme=document.code,
        round=run.round,
        fund=document.fund,
        currency=document.currency,
        chunk_count=sums.chunks,
        households=sums.households,
        entitlements=sums.announced,
        total_minor=int(sums.announced_minor),
        unpayable=sums.without_account,
        budget_line=document.budget_line,
    )


def announcement_of(
    chunk: EntitlementChunk | Row[Any],
    document: SchemeDocument,
    *,
    count: int,
    total_minor: int,
) -> EntitlementsReady:
    """The fact that tells what a chunk holds; the same whenever it is told."""
    return EntitlementsReady(
        chunk_id=chunk.id,
        enrolment_id=chunk.enrolment_run_id,
        activation_id=chunk.activation_id,
        scheme=document.code,
        round=chunk.round,
        fund=document.fund,
        currency=document.currency,
        count=count,
        total_minor=total_minor,
        budget_line=document.budget_line,
    )
