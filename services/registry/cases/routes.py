"""Whom an activation missed, and what is decided for one household, over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.registry.activations.service import get_activation
from services.registry.cases import missed, service
from services.registry.cases.schemas import (
    AppealDecisionIn,
    AppealIn,
    AppealOut,
    AppealStatus,
    ExclusionIn,
    ExclusionOut,
    FurtherEnrolmentIn,
    Missed,
    MissedHousehold,
    MissedOut,
    NoteIn,
    ReadmissionIn,
)
from services.registry.scopes import (
    AppealsWrite,
    EntitlementsRead,
    HouseholdsRead,
    RegistryApprove,
    RoundsRelease,
)
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.contracts.checks import AREA_CODE
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery
from shared.values import YesNo

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
        "content": {"text/csv": {"schema": {"type": "string"}, "example": missed.COLUMNS}},
    }
}


@router.get(
    "/activations/{activation_id}/missed",
    tags=["activations"],
    summary="Count whom an activation missed",
    responses=problem_responses(401, 403, 404, 422),
)
async def count_missed(
    activation_id: UUID,
    _: EntitlementsRead,
    session: Session,
    clock: ClockDependency,
    area: AreaQuery = None,
) -> MissedOut:
    """Households that are owed something and are not paid, by reason; and those that are eligible
    by now, and came too late to be enrolled."""
    return await missed.count(session, activation_id, area=area, clock=clock)


@router.get(
    "/activations/{activation_id}/missed/{why}",
    tags=["activations"],
    summary="List whom an activation missed",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_missed(
    activation_id: UUID,
    why: Missed,
    _: EntitlementsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    area: AreaQuery = None,
) -> PageOf[MissedHousehold]:
    """Those that were missed for one reason, by commune, with what is owed to them."""
    return await missed.list_page(session, activation_id, why, area=area, page=page, clock=clock)


@router.get(
    "/activations/{activation_id}/missed/{why}/csv",
    tags=["activations"],
    summary="Export whom an activation missed",
    response_class=Response,
    responses={**_CSV, **problem_responses(401, 403, 404, 422)},
)
async def export_missed(
    activation_id: UUID,
    why: Missed,
    _: EntitlementsRead,
    session: Session,
    request: Request,
    clock: ClockDependency,
    area: AreaQuery = None,
) -> StreamingResponse:
    """The whole list as CSV, to be worked through in the field: a line for each household and
    round, without any name."""
    await get_activation(session, activation_id)
    lines = missed.export(request.app.state.database, activation_id, why, area=area, clock=clock)
    name = f'attachment; filename="missed-{why}.csv"'
    return StreamingResponse(lines, media_type="text/csv", headers={"Content-Disposition": name})


@router.post(
    "/activations/{activation_id}/further-enrolments",
    tags=["activations"],
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to enrol late registrants, or households by hand",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def enrol_further(
    activation_id: UUID,
    given: FurtherEnrolmentIn,
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
) -> Response:
    """Once a second person approves, they are enrolled and get round 1, and each later one that was
    released. Whoever is enrolled already is passed by."""
    return await once.reply(
        given,
        lambda: service.propose_enrolment(
            session, steps, activation_id, given, caller=caller, clock=clock
        ),
        status_code=202,
    )


@router.post(
    "/activations/{activation_id}/households/{household_id}/exclusion",
    tags=["activations"],
    status_code=201,
    response_model=ExclusionOut,
    summary="Keep a household out",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def exclude(
    activation_id: UUID,
    household_id: UUID,
    given: ExclusionIn,
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Of what is not worked out yet it gets nothing. Less is paid by it, so one person may; to
    admit the household again takes two."""
    return await once.reply(
        given,
        lambda: service.exclude(
            session, activation_id, household_id, given, caller=caller, clock=clock
        ),
    )


@router.get(
    "/exclusions",
    tags=["activations"],
    summary="List exclusions",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_exclusions(
    _: HouseholdsRead,
    session: Session,
    page: PageQuery,
    scheme: Annotated[Code | None, Query(examples=["flood-2022"])] = None,
    standing: Annotated[YesNo, Query(description="Only those that have not ended.")] = True,
) -> PageOf[ExclusionOut]:
    """Households that officers keep out, with who and why."""
    return await service.list_exclusions(session, scheme=scheme, standing=standing, page=page)


@router.get(
    "/exclusions/{exclusion_id}",
    tags=["activations"],
    summary="Read an exclusion",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_exclusion(exclusion_id: UUID, _: HouseholdsRead, session: Session) -> ExclusionOut:
    """Who keeps a household out and why, and who admitted it again."""
    return await service.get_exclusion(session, exclusion_id)


@router.post(
    "/exclusions/{exclusion_id}/readmission",
    tags=["activations"],
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to admit a household again",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def readmit(
    exclusion_id: UUID,
    given: ReadmissionIn,
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
) -> Response:
    """Once a second person approves, the rounds that it was left out of are owed, and a repair
    announces them."""
    return await once.reply(
        given,
        lambda: service.propose_readmission(
            session, steps, exclusion_id, given, caller=caller, clock=clock
        ),
        status_code=202,
    )


@router.post(
    "/appeals",
    tags=["appeals"],
    status_code=201,
    response_model=AppealOut,
    summary="Open an appeal for a household",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def open_appeal(
    given: AppealIn,
    caller: AppealsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
    request: Request,
) -> Response:
    """What a household wants decided anew about an activation. Another person decides it, by a day
    that follows from `REGISTRY_APPEAL_DAYS`."""
    days = request.app.state.settings.appeal_days
    return await once.reply(
        given, lambda: service.open_appeal(session, given, days=days, caller=caller, clock=clock)
    )


@router.get(
    "/appeals",
    tags=["appeals"],
    summary="List appeals",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_appeals(
    _: HouseholdsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    status: Annotated[
        AppealStatus | None,
        Query(description="`open`: all that wait; `overdue`: those of them past their day."),
    ] = None,
    household_id: Annotated[UUID | None, Query(description="Only those of this one.")] = None,
) -> PageOf[AppealOut]:
    """By the day on which they are due."""
    return await service.list_appeals(
        session, status=status, household_id=household_id, page=page, clock=clock
    )


@router.get(
    "/appeals/{appeal_id}",
    tags=["appeals"],
    summary="Read an appeal",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_appeal(
    appeal_id: UUID, _: HouseholdsRead, session: Session, clock: ClockDependency
) -> AppealOut:
    """What was asked, what was said about it, and what was decided, in both languages."""
    return await service.get_appeal(session, appeal_id, clock=clock)


@router.post(
    "/appeals/{appeal_id}/notes",
    tags=["appeals"],
    status_code=201,
    response_model=AppealOut,
    summary="Add to an appeal",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def add_note(
    appeal_id: UUID,
    given: NoteIn,
    caller: AppealsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """What was found since, for whoever decides."""
    return await once.reply(
        given, lambda: service.add_note(session, appeal_id, given, caller=caller, clock=clock)
    )


@router.post(
    "/appeals/{appeal_id}/decision",
    tags=["appeals"],
    status_code=201,
    response_model=AppealOut,
    summary="Decide an appeal",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def decide_appeal(
    appeal_id: UUID,
    given: AppealDecisionIn,
    caller: RegistryApprove,
    session: Session,
    clock: ClockDependency,
    once: Once,
    request: Request,
) -> Response:
    """By another person than the one who opened it. Upheld, what the household wants is done: it
    is enrolled, or admitted again."""
    return await once.reply(
        given,
        lambda: service.decide_appeal(
            session,
            appeal_id,
            given,
            households_per_chunk=request.app.state.settings.households_per_chunk,
            caller=caller,
            clock=clock,
        ),
    )
