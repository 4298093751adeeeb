"""Indicators over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.triggers.indicators import service
from services.triggers.indicators.schemas import IndicatorIn, IndicatorOut
from services.triggers.scopes import IndicatorsRead, IndicatorsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/indicators", tags=["indicators"])


@router.post(
    "",
    status_code=201,
    response_model=IndicatorOut,
    summary="Register an indicator",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def create_indicator(
    body: IndicatorIn,
    caller: IndicatorsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Registers a measured thing with its unit, kind and area level; it never changes after."""
    return await once.reply(
        body,
        lambda: service.create(session, body, caller=caller, clock=clock),
    )


@router.get(
    "",
    summary="List indicators",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_indicators(
    _: IndicatorsRead, session: Session, page: PageQuery
) -> PageOf[IndicatorOut]:
    """Lists all indicators by code, a page at a time."""
    return await service.list_page(session, page)


@router.get(
    "/{code}",
    summary="Read an indicator",
    responses=problem_responses(401, 403, 404, 422),
)
async def read_indicator(
    code: Annotated[Code, Path(examples=["rice-wholesale-price"])],
    _: IndicatorsRead,
    session: Session,
) -> IndicatorOut:
    """Reads one indicator by its code."""
    return await service.get(session, code)
