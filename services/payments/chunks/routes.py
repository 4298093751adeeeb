"""Chunks: what the registry announced, and what became of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.chunks import repository, service
from services.payments.chunks.schemas import ChunkOut, SetAsideOut
from services.payments.chunks.states import ChunkStatus
from services.payments.listing import ActivationFilter, by_number, page_of_rows
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import Int4, PageOf, PageQuery

router = APIRouter(prefix="/chunks", tags=["chunks"])


@router.get("", summary="List chunks", responses=problem_responses(400, 401, 403, 422))
async def list_chunks(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    activation_id: ActivationFilter = None,
    status: Annotated[ChunkStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[ChunkOut]:
    """Chunks in the order in which they were announced; refused ones say why."""
    rows = await repository.list_chunks(
        session,
        after=page.after(Int4),
        limit=page.fetch_limit,
        activation_id=activation_id,
        status=status,
    )
    return page_of_rows(page, rows, ChunkOut, key=by_number)


@router.get("/{chunk_id}", summary="Get a chunk", responses=problem_responses(401, 403, 404, 422))
async def get_chunk(chunk_id: UUID, _: PaymentsRead, session: Session) -> ChunkOut:
    """One chunk and where it stands."""
    chunk = await service.get_chunk(session, chunk_id)
    return ChunkOut.model_validate(chunk._asdict())


@router.get(
    "/{chunk_id}/set-aside",
    summary="List what was set aside of a chunk",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_set_aside(
    chunk_id: UUID, _: PaymentsRead, session: Session, page: PageQuery
) -> PageOf[SetAsideOut]:
    """Entitlements that are not paid from this chunk, each with its reason; all others are."""
    chunk = await service.get_chunk(session, chunk_id)
    rows = await repository.list_set_aside(
        session, chunk.number, after=page.after(UUID), limit=page.fetch_limit
    )
    return page_of_rows(page, rows, SetAsideOut, key=lambda row: (row.entitlement_id,))
