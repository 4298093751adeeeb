"""Observations over HTTP."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.triggers.areas import AreaCode
from services.triggers.observations import service
from services.triggers.observations.schemas import (
    ObservationOut,
    ObservationsIn,
    RecordedOut,
    Wanted,
)
from services.triggers.scopes import ObservationsRead, ObservationsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/observations", tags=["observations"])


@router.post(
    "",
    status_code=201,
    response_model=RecordedOut,
    summary="Record observations",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def record_observations(
    body: ObservationsIn,
    caller: ObservationsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Saves up to 5,000 values of one indicator, all or none, and has its triggers evaluated.

    A new value for the same area, place, source and date is kept as a new revision; one that is
    already known changes nothing.
    """
    return await once.reply(
        body,
        lambda: service.record(session, body, caller=caller, clock=clock),
    )


@router.get(
    "",
    summary="List observations",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_observations(
    _: ObservationsRead,
    session: Session,
    page: PageQuery,
    indicator: Annotated[str, Query(max_length=64, examples=["flood-affected-households"])],
    area: AreaCode | None = None,
    place: Annotated[str | None, Query(max_length=100)] = None,
    source: Annotated[str | None, Query(max_length=100, examples=["HRF"])] = None,
    observed_from: date | None = None,
    observed_to: date | None = None,
    revisions: Annotated[
        Literal["latest", "all"],
        Query(description="Only the value that counts now, or every value ever recorded."),
    ] = "latest",
) -> PageOf[ObservationOut]:
    """Lists one indicator's observations in the order in which they were recorded."""
    return await service.list_page(
        session,
        indicator,
        Wanted(
            area=area,
            place=place,
            source=source,
            observed_from=observed_from,
            observed_to=observed_to,
            all_revisions=revisions == "all",
        ),
        page=page,
    )
