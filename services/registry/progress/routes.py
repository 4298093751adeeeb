"""Activations over HTTP: whom they reached, and how far they are."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.registry.progress import service
from services.registry.progress.schemas import (
    ActivationOut,
    ActivationProgressOut,
    ChunkOut,
    SummaryOut,
)
from services.registry.scopes import EnrolmentsRead
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/activations", tags=["activations"])


@router.get(
    "",
    summary="List activations",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_activations(
    caller: EnrolmentsRead,
    session: Session,
    page: PageQuery,
    scheme: Annotated[Code | None, Query(description="Only those paid by this scheme.")] = None,
) -> PageOf[ActivationOut]:
    """Activations that this registry enrolled households for, the newest first."""
    return await service.list_activations(session, scheme=scheme, bound=caller.areas, page=page)


@router.get(
    "/{activation_id}",
    summary="Follow an activation",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_activation(
    activation_id: UUID, caller: EnrolmentsRead, session: Session
) -> ActivationProgressOut:
    """How many households were enrolled, what they are owed, and what came of it so far."""
    return await service.follow(session, activation_id, bound=caller.areas)


@router.get(
    "/{activation_id}/summary",
    summary="Sum up an activation by province",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_summary(activation_id: UUID, caller: EnrolmentsRead, session: Session) -> SummaryOut:
    """Where, how many, how much, how fast: aggregates without persons."""
    return await service.sum_up(session, activation_id, bound=caller.areas)


@router.get(
    "/{activation_id}/chunks",
    summary="List an activation's chunks",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_chunks(
    activation_id: UUID, _: EnrolmentsRead, session: Session, page: PageQuery
) -> PageOf[ChunkOut]:
    """What was announced to payments chunk by chunk, what was refused, and what is stuck."""
    return await service.list_chunks(session, activation_id, page=page)
