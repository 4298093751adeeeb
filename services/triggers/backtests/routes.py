"""Backtests over HTTP."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse

from services.triggers.backtests import service
from services.triggers.backtests.document import MAXIMUM_BYTES, BacktestIn
from services.triggers.backtests.schemas import BacktestDetail, BacktestOut
from services.triggers.drawing.studio import StudioDependency
from services.triggers.scopes import TriggersRead, TriggersWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pages import HEADERS
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/backtests", tags=["backtests"])

BacktestId = Annotated[UUID, Path(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])]


@router.post(
    "",
    status_code=202,
    response_model=BacktestOut,
    summary="Try a trigger on history",
    responses=problem_responses(400, 401, 403, 404, 409, 422, 503),
    openapi_extra=limited(maximum_bytes=MAXIMUM_BYTES),
)
async def create_backtest(
    body: BacktestIn,
    caller: TriggersWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Has a worker try a trigger on a span of history, as it was known on each day of it.

    The trigger is one that was posted, or a document that need not be. Its history is what is
    recorded, or comes with the question. Nothing is activated by it.
    """
    return await once.reply(
        body,
        lambda: service.ask(session, body, caller=caller, clock=clock),
        status_code=202,
    )


@router.get("", summary="List backtests", responses=problem_responses(400, 401, 403, 422))
async def list_backtests(
    _: TriggersRead,
    session: Session,
    page: PageQuery,
    trigger: Annotated[Code | None, Query(description="Only those of this trigger.")] = None,
) -> PageOf[BacktestOut]:
    """Lists what was tried, newest first, without the reports."""
    return await service.list_page(session, trigger=trigger, page=page)


@router.get(
    "/{backtest_id}", summary="Read a backtest", responses=problem_responses(401, 403, 404, 422)
)
async def read_backtest(
    backtest_id: BacktestId, _: TriggersRead, session: Session
) -> BacktestDetail:
    """Reads how far a backtest has come, and its report once it is finished."""
    return await service.get(session, backtest_id)


@router.get(
    "/{backtest_id}/page",
    summary="See a backtest",
    response_class=HTMLResponse,
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def show_backtest(
    backtest_id: BacktestId,
    _: TriggersRead,
    session: Session,
    studio: StudioDependency,
    beside: Annotated[
        UUID | None,
        Query(description="Another backtest to be shown beside it."),
    ] = None,
) -> HTMLResponse:
    """Shows a report on a page in English and Khmer, with its charts; beside another, if asked.

    The page asks for nothing else, and no script runs in it: it can be saved and sent.
    """
    # The library that draws takes half a second to load, and most never ask for it.
    from services.triggers.backtests.page import page

    reports = [await service.finished(session, backtest_id)]
    if beside is not None:
        reports.append(await service.finished(session, beside))
    return HTMLResponse(await studio.make(partial(page, reports)), headers=HEADERS)
