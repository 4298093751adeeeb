"""Batches: what left in one request, and how far its results were read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.batches import repository, service
from services.payments.batches.schemas import BatchHistoryOut, BatchOut
from services.payments.batches.states import BatchStatus
from services.payments.instructions.repository import list_instructions
from services.payments.instructions.schemas import InstructionOut
from services.payments.instructions.states import Status
from services.payments.listing import ActivationFilter, by_number, page_of_rows
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import Int4, PageOf, PageQuery

router = APIRouter(prefix="/batches", tags=["batches"])


@router.get("", summary="List batches", responses=problem_responses(400, 401, 403, 422))
async def list_batches(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    status: Annotated[BatchStatus | None, Query(description="Only those in this state.")] = None,
    provider: Annotated[
        ProviderCode | None, Query(description="Only those at this provider.")
    ] = None,
    activation_id: ActivationFilter = None,
) -> PageOf[BatchOut]:
    """Batches in the order in which they were made; one without an end says why."""
    rows = await repository.list_batches(
        session,
        after=page.after(Int4),
        limit=page.fetch_limit,
        status=status,
        provider=provider,
        activation_id=activation_id,
    )
    return page_of_rows(page, rows, BatchOut, key=by_number)


@router.get("/{batch_id}", summary="Get a batch", responses=problem_responses(401, 403, 404, 422))
async def get_batch(batch_id: UUID, _: PaymentsRead, session: Session) -> BatchHistoryOut:
    """One batch with every move, and how far its results were read."""
    return await service.get_history(session, batch_id)


@router.get(
    "/{batch_id}/instructions",
    summary="List the payments of a batch",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_lines(
    batch_id: UUID,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    status: Annotated[Status | None, Query(description="Only those in this state.")] = None,
) -> PageOf[InstructionOut]:
    """The payments that a batch holds, in the order of their ids; those that left it are gone."""
    batch = await service.get_batch(session, batch_id)
    rows = await list_instructions(
        session,
        after=page.after(UUID),
        limit=page.fetch_limit,
        status=status,
        chunk_id=batch.chunk_id,
        batch_number=batch.number,
    )
    return page_of_rows(page, rows, InstructionOut, key=lambda row: (row.id,))
