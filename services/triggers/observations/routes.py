"""Observations over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.triggers.areas import AreaCode
from services.triggers.checks.service import ChecksDependency
from services.triggers.observations import service
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import (
    MAXIMUM_BYTES,
    ObservationOut,
    ObservationsIn,
    RecordedOut,
    Wanted,
)
from services.triggers.scopes import ObservationsRead, ObservationsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pagination import PageOf, PageQuery
from shared.values import Day, Text

router = APIRouter(prefix="/observations", tags=["observations"])


@router.post(
    "",
    status_code=201,
    response_model=RecordedOut,
    summary="Record observations",
    responses={
        202: {"model": ApprovalOut, "description": "It waits for a second person."},
        **problem_responses(400, 401, 403, 409, 422),
    },
    openapi_extra=limited(maximum_bytes=MAXIMUM_BYTES),
)
async def record_observations(
    body: ObservationsIn,
    caller: ObservationsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
    checks: ChecksDependency,
    steps: TwoPersonSteps,
) -> Response:
    """Saves up to 5,000 values of one indicator, all or none, and has its triggers evaluated.

    A publisher's own client, with the scope `observations:publish` besides, is answered 201. What
    anybody else posts is saved as well where no trigger in force reads the indicator; where one
    does, the answer is 202 with a proposal, of 2,000 values at most, and the values are saved
    once a second person approves it: `POST /v1/approvals/{approval_id}/approval`.

    A new value for the same area, place, source and date is kept as a new revision; one that is
    already known changes nothing. An area that is not in the registry's gazetteer is refused;
    while the registry is away, one that it was never asked about is taken unchecked.

    What is doubtful by itself is set aside at once (`set_aside`): an unknown place, another unit,
    an absurd number or day. The rest is recorded, and held against its series when it is judged:
    what is doubtful then counts nowhere until a person releases it.
    """
    published = service.is_publisher(caller)
    areas = await checks.of_observations({row.area for row in body.observations})
    if await service.needs_second_person(session, body.indicator, caller=caller):
        return await once.reply(
            body,
            lambda: service.propose(session, steps, body, areas=areas, caller=caller, clock=clock),
            status_code=202,
        )
    hands = Hands(posted_by=caller.subject, published=published)
    return await once.reply(
        body,
        lambda: service.record(session, body, areas=areas, hands=hands, clock=clock),
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
    indicator: Annotated[Code, Query(examples=["flood-affected-households"])],
    area: AreaCode | None = None,
    place: Annotated[str, Text(longest=100)] | None = None,
    source: Annotated[Annotated[str, Text(longest=100)] | None, Query(examples=["HRF"])] = None,
    observed_from: Day | None = None,
    observed_to: Day | None = None,
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
