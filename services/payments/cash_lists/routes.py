"""Lists from which cash is paid out by hand, over HTTP."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from services.payments.cash_lists import service
from services.payments.cash_lists.schemas import (
    CashLineOut,
    CashListOut,
    CashUploadOut,
    CashUploadRowOut,
)
from services.payments.cash_lists.states import CashListState
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import CashListsWrite, PaymentsRead
from shared.approvals.routes import TwoPersonSteps
from shared.auth.bearer import AnyCaller
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import BadRequest, Unprocessable, problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery
from shared.printing import print_paper

router = APIRouter(prefix="/cash-lists", tags=["cash lists"])

ListId = Annotated[UUID, Path(examples=["0199c1de-7100-7a54-8f62-0d6f0a6f5b21"])]
UploadId = Annotated[UUID, Path(examples=["0199c1de-8100-7a54-8f62-0d6f0a6f5b20"])]


async def _require_theirs(list_id: ListId, request: Request, caller: AnyCaller) -> None:
    """Raises NotFound where a list is of a commune that whoever is bound to areas is not told of.
    A list stays of its commune, so that it may be asked before all else."""
    if caller.areas is not None:
        async with request.app.state.database.reading() as session:
            await service.require_theirs(session, list_id, bound=caller.areas)


_THEIRS = [Depends(_require_theirs)]

_CSV_EXAMPLE = (
    "list,number,code,amount,currency,outcome,paid_on,reason,paper_reference\r\n"
    "000012-0A6F5B21,1,7K3M-Q9XW,154000,KHR,paid,2022-10-17,,A-0041\r\n"
    "000012-0A6F5B21,2,0B8T-5RZC,154000,KHR,not-paid,,moved-away,\r\n"
    "000012-0A6F5B21,3,Y2HD-44NP,96000,KHR,,,,\r\n"
)
_RESULTS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}},
    }
}
_CSV_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The list as it was signed.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}},
    }
}

_PDF_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The list, to be printed.",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "",
    summary="List cash lists",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_cash_lists(
    caller: PaymentsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    state: Annotated[CashListState | None, Query(description="Only those in this state.")] = None,
    provider: Annotated[
        ProviderCode | None, Query(description="Only those of this provider.")
    ] = None,
    area: Annotated[
        str | None,
        Query(pattern="^[0-9]{6}$", max_length=6, description="Only those of this commune."),
    ] = None,
) -> PageOf[CashListOut]:
    """Lists in the order in which they were made: how old they are, how many days are left, and
    how much of each was paid, was not, was not claimed, or has no result yet."""
    return await service.list_page(
        session,
        page,
        state=state,
        provider=provider,
        area_code=area,
        bound=caller.areas,
        clock=clock,
    )


@router.get(
    "/{list_id}",
    dependencies=_THEIRS,
    summary="Get a cash list",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_cash_list(
    list_id: ListId, _: PaymentsRead, session: Session, clock: ClockDependency
) -> CashListOut:
    """One list, with the checksum and the signature of its CSV."""
    return await service.get(session, list_id, clock=clock)


@router.get(
    "/{list_id}/lines",
    dependencies=_THEIRS,
    summary="List the lines of a cash list",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_cash_lines(
    list_id: ListId, _: PaymentsRead, session: Session, page: PageQuery, clock: ClockDependency
) -> PageOf[CashLineOut]:
    """The lines in their order, with what was said of each first. No name is known here: the
    registry makes the sheet of names, `POST /v1/name-sheets`."""
    return await service.list_lines(session, list_id, page, clock=clock)


@router.get(
    "/{list_id}/sheet.csv",
    dependencies=_THEIRS,
    summary="Get a cash list as CSV",
    response_class=Response,
    responses={**_CSV_REPLY, **problem_responses(401, 403, 404, 422)},
    openapi_extra=narrowed(),
)
async def get_sheet_csv(
    list_id: ListId, _: PaymentsRead, session: Session, clock: ClockDependency
) -> Response:
    """The list with empty columns for results: the bytes that were signed, whenever it is asked
    for. Fill them in and upload it; a line of which nothing is known yet stays empty."""
    code, content = await service.sheet_csv(session, list_id, clock=clock)
    return Response(content, media_type="text/csv", headers=_as_file(code, "csv"))


@router.get(
    "/{list_id}/sheet.pdf",
    dependencies=_THEIRS,
    summary="Print a cash list",
    response_class=Response,
    responses={**_PDF_REPLY, **problem_responses(401, 403, 404, 422, 503)},
    openapi_extra=narrowed(),
)
async def get_sheet_pdf(
    list_id: ListId, caller: PaymentsRead, request: Request, clock: ClockDependency
) -> Response:
    """The list as people sign it, in Khmer and English: the same bytes whenever it is asked for.
    It names nobody; the registry's sheet of names has the same numbers and codes."""
    async with request.app.state.print_places.held(caller.subject):
        async with request.app.state.database.reading() as session:
            paper = await service.sheet_paper(session, list_id, clock=clock)
        # Outside of any transaction, and beside what the service answers meanwhile.
        content = await asyncio.to_thread(print_paper, paper)
    return Response(content, media_type="application/pdf", headers=_as_file(paper.code, "pdf"))


@router.post(
    "/{list_id}/results",
    dependencies=_THEIRS,
    status_code=202,
    response_model=CashUploadOut,
    summary="Upload results of a cash list",
    responses=problem_responses(400, 401, 403, 404, 413, 422),
    openapi_extra=_RESULTS_BODY | narrowed(),
)
async def upload_results(
    list_id: ListId,
    request: Request,
    caller: CashListsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """What became of lines, as CSV: all of them, some, or more than last time. A row that cannot
    be used is set aside with its reason, and the rest goes on. Nothing is recorded before another
    person approves it; the same file twice changes nothing."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip()
    if media_type != "text/csv":
        raise Unprocessable("Send the results as text/csv.")
    try:
        content = await request.body()
    except ClientDisconnect:
        # For the log's sake: whoever should read it has gone.
        raise BadRequest("The sending was cut off. Send the whole file again.") from None
    return await once.reply(
        {"content": content.hex()},
        lambda: service.upload(session, steps, list_id, content, caller=caller, clock=clock),
        status_code=202,
    )


@router.get(
    "/{list_id}/results",
    dependencies=_THEIRS,
    summary="List what was uploaded about a cash list",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_results(
    list_id: ListId,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> PageOf[CashUploadOut]:
    """Each file of results, in order, with who decided on it."""
    return await service.list_uploads(session, steps, list_id, page, clock=clock)


@router.get(
    "/{list_id}/results/{upload_id}",
    dependencies=_THEIRS,
    summary="Get what was uploaded about a cash list",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_results(
    list_id: ListId,
    upload_id: UploadId,
    _: PaymentsRead,
    session: Session,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> CashUploadOut:
    """How many rows say something new, were said before, or were set aside."""
    return await service.get_upload(session, steps, list_id, upload_id, clock=clock)


@router.get(
    "/{list_id}/results/{upload_id}/rows",
    dependencies=_THEIRS,
    summary="List the rows of uploaded results",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_result_rows(
    list_id: ListId,
    upload_id: UploadId,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    set_aside: Annotated[bool, Query(description="Only those that were set aside.")] = False,
) -> PageOf[CashUploadRowOut]:
    """What each row says, or why it was set aside."""
    return await service.list_rows(session, list_id, upload_id, page, set_aside=set_aside)


def _as_file(code: str, suffix: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{code}.{suffix}"'}
