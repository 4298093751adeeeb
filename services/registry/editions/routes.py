"""Editions of the gazetteer over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.registry.areas.schemas import AreaCode
from services.registry.editions import placing, service
from services.registry.editions.comparing import Table
from services.registry.editions.schemas import (
    AREAS_EXAMPLE,
    CHANGES_EXAMPLE,
    MAXIMUM_TABLE_BYTES,
    ChangeOut,
    EditionCode,
    EditionIn,
    EditionOut,
    PlacementsIn,
    PlacementsOut,
    ProposalIn,
    WaitingOut,
)
from services.registry.scopes import AreasRead, AreasWrite, HouseholdsRead, HouseholdsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import Unprocessable, problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/gazetteer", tags=["areas"])

Code = Annotated[EditionCode, Path()]


def _csv(example: str) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}, "example": example}},
        },
        **limited(maximum_bytes=MAXIMUM_TABLE_BYTES),
    }


async def _table_of(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").split(";")[0].strip()
    if media_type != "text/csv":
        raise Unprocessable("Send the table as text/csv.")
    return await request.body()


@router.post(
    "/editions",
    status_code=201,
    response_model=EditionOut,
    summary="Begin an edition of the gazetteer",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def begin_edition(
    body: EditionIn, caller: AreasWrite, session: Session, clock: ClockDependency, once: Once
) -> Response:
    """Makes a draft, whose two tables are sent to `PUT /v1/gazetteer/editions/{code}/areas` and
    `…/changes`. A draft that is begun again loses those that it had."""
    return await once.reply(body, lambda: service.begin(session, body, caller=caller, clock=clock))


@router.put(
    "/editions/{code}/areas",
    summary="Send the areas of an edition",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422),
    openapi_extra=_csv(AREAS_EXAMPLE),
)
async def send_areas(
    code: Code, request: Request, caller: AreasWrite, session: Session
) -> EditionOut:
    """Keeps every area of an edition but the country, as CSV under `level,code,name_en,name_km`,
    and if they are known `residence,latitude,longitude`. The answer says what the draft would do;
    no code and no household changes. A table that cannot be read is refused with all its
    `faults`; what does not go with what is in force is among those of the answer."""
    content = await _table_of(request)
    return await service.keep_table(session, code, Table.AREAS, content, caller=caller)


@router.put(
    "/editions/{code}/changes",
    summary="Send what an edition makes of codes",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422),
    openapi_extra=_csv(CHANGES_EXAMPLE),
)
async def send_changes(
    code: Code, request: Request, caller: AreasWrite, session: Session
) -> EditionOut:
    """Keeps what becomes of codes that do not simply stay, as CSV under `from_code,to_code,kind`,
    of kinds `renamed`, `moved`, `merged` and `split`. A split has a line for each part, and the
    villages of what is split have lines of their own where their codes change: households follow
    by them. What is moved takes along what lies in it, under the same last digits. The answer
    says what the draft would do."""
    content = await _table_of(request)
    return await service.keep_table(session, code, Table.CHANGES, content, caller=caller)


@router.get(
    "/editions",
    summary="List editions of the gazetteer",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_editions(_: AreasRead, session: Session, page: PageQuery) -> PageOf[EditionOut]:
    """Drafts, the edition in force, and those before it."""
    return await service.list_page(session, page)


@router.get(
    "/editions/{code}",
    summary="Read an edition of the gazetteer",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def get_edition(code: Code, _: AreasRead, session: Session) -> EditionOut:
    """An edition with what it changes: of a draft, what it would change now."""
    return await service.get(session, code)


@router.get(
    "/editions/{code}/changes",
    summary="List what an edition changes",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def list_changes(
    code: Code, _: AreasRead, session: Session, page: PageQuery
) -> PageOf[ChangeOut]:
    """Code by code: what it becomes, how many households follow, how many a person has to place.
    Of a draft, as it would be now."""
    return await service.list_changes(session, code, page)


@router.post(
    "/editions/{code}/proposal",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to put an edition in force",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_edition(
    code: Code,
    body: ProposalIn,
    caller: AreasWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
) -> Response:
    """When a second person approves, everything happens in one moment: codes, where households
    stand, and what is still to be enrolled. Whoever sent its tables does not approve it."""
    return await once.reply(
        body,
        lambda: service.propose(
            session, steps, code, reason=body.reason, caller=caller, clock=clock
        ),
        status_code=202,
    )


@router.get(
    "/waiting",
    summary="List households that wait to be placed",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_waiting(
    _: HouseholdsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    area: Annotated[
        AreaCode | None, Query(description="Only those who stand in it.", examples=["010201"])
    ] = None,
) -> PageOf[WaitingOut]:
    """Households whose commune was split, and of which no village says where they are. They are
    enrolled and paid under the code that they had, until somebody places them."""
    return await placing.list_waiting(session, page, within=area, clock=clock)


@router.post(
    "/placements",
    status_code=200,
    response_model=PlacementsOut,
    summary="Place households",
    responses=problem_responses(400, 401, 403, 422),
)
async def place_households(
    body: PlacementsIn,
    caller: HouseholdsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Says where households live that an edition could not place, each by itself."""
    return await once.reply(
        body,
        lambda: placing.place(session, body, caller=caller, clock=clock),
        status_code=200,
    )
