"""Whom an activation missed, over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.registry.activations.service import get_activation
from services.registry.missed import service
from services.registry.missed.schemas import Missed, MissedHousehold, MissedOut
from services.registry.scopes import (
    EntitlementsRead,
)
from shared.audit import Export, Taken
from shared.clock import ClockDependency
from shared.contracts.checks import AREA_CODE
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter()

AreaQuery = Annotated[
    str | None,
    Query(
        pattern=AREA_CODE,
        max_length=8,
        description="Only those of this province, district or commune.",
        examples=["0201"],
    ),
]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line for each household and round.",
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": ",".join(service.COLUMNS)}
        },
    }
}


@router.get(
    "/activations/{activation_id}/missed",
    tags=["activations"],
    summary="Count whom an activation missed",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def count_missed(
    activation_id: UUID,
    caller: EntitlementsRead,
    session: Session,
    clock: ClockDependency,
    area: AreaQuery = None,
) -> MissedOut:
    """Households that are owed something and are not paid, by reason; and those that are eligible
    by now, and came too late to be enrolled."""
    return await service.count(session, activation_id, area=area, bound=caller.areas, clock=clock)


@router.get(
    "/activations/{activation_id}/missed/{why}",
    tags=["activations"],
    summary="List whom an activation missed",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_missed(
    activation_id: UUID,
    why: Missed,
    caller: EntitlementsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    area: AreaQuery = None,
) -> PageOf[MissedHousehold]:
    """Those that were missed for one reason, by commune, with what is owed to them."""
    return await service.list_page(
        session, activation_id, why, area=area, bound=caller.areas, page=page, clock=clock
    )


@router.get(
    "/activations/{activation_id}/missed/{why}/csv",
    tags=["activations"],
    summary="Export whom an activation missed",
    response_class=Response,
    responses={**_CSV, **problem_responses(401, 403, 404, 422)},
    openapi_extra=narrowed(),
)
async def export_missed(
    activation_id: UUID,
    why: Missed,
    caller: EntitlementsRead,
    session: Session,
    request: Request,
    clock: ClockDependency,
    area: AreaQuery = None,
) -> StreamingResponse:
    """The whole list as CSV, to be worked through in the field: a line for each household and
    round, without any name. Who took it out and how many rows stands in the audit record."""
    await get_activation(session, activation_id)
    taken = Taken()
    pieces = service.export(
        request.app.state.database,
        activation_id,
        why,
        taken,
        area=area,
        bound=caller.areas,
        clock=clock,
    )
    name = f'attachment; filename="missed-{why}.csv"'
    return Export(
        request, pieces, taken, media_type="text/csv", headers={"Content-Disposition": name}
    )
