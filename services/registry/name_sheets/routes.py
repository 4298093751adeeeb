"""Sheets of names over HTTP, for whoever pays out a list by hand."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from services.registry.households.persons import PersonalDataDependency
from services.registry.name_sheets import service
from services.registry.name_sheets.schemas import NameSheetIn, NameSheetOut
from services.registry.name_sheets.sheet import paper_of
from services.registry.scopes import PayeesRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.printing import print_paper

router = APIRouter(prefix="/name-sheets", tags=["name sheets"])

_PDF_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The names, to be printed.",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "",
    summary="Get the names for a list",
    responses=problem_responses(401, 403, 422),
    openapi_extra=narrowed(),
)
async def names(
    body: NameSheetIn,
    caller: PayeesRead,
    session: Session,
    personal_data: PersonalDataDependency,
) -> NameSheetOut:
    """Who the lines of a list of payments are for: name and card number of each household's head,
    and nothing else of them. Each is recorded as shown.

    A POST because a list is long; it changes nothing.
    """
    return await service.names_of(session, body, personal_data=personal_data, caller=caller)


@router.post(
    "/pdf",
    summary="Print the names for a list",
    response_class=Response,
    responses={**_PDF_REPLY, **problem_responses(401, 403, 422, 503)},
    openapi_extra=narrowed(),
)
async def names_pdf(
    body: NameSheetIn,
    caller: PayeesRead,
    session: Session,
    personal_data: PersonalDataDependency,
    request: Request,
    clock: ClockDependency,
) -> Response:
    """The same as a paper in Khmer and English, to be laid beside the list: the same numbers and
    codes. Each person is recorded as shown."""
    async with request.app.state.print_places.held(caller.subject):
        sheet = await service.names_of(session, body, personal_data=personal_data, caller=caller)
        paper = paper_of(sheet, now=clock.now())
        content = await asyncio.to_thread(print_paper, paper)
    name = f'attachment; filename="{body.list_code}-names.pdf"'
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})
