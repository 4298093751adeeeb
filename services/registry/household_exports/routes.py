"""Exports of households and members over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.registry.areas.tables import COUNTRY_CODE
from services.registry.household_exports import service
from services.registry.household_exports.service import MEDIA_TYPES, Asked, Format, What
from services.registry.households.persons import PersonalData
from services.registry.scopes import READ_PERSONAL, HouseholdsRead
from services.registry.sharing.service import sharings_with
from services.registry.sharing.statements import Sharing
from shared.audit import Export, Taken
from shared.errors import Forbidden, problem_responses
from shared.operations import narrowed
from shared.values import Instant

router = APIRouter(prefix="/household-exports", tags=["households"])

_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows, by id.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in MEDIA_TYPES.values()
        },
    }
}


@router.get(
    "",
    summary="Take households or members out as a file",
    response_class=StreamingResponse,
    responses={**_REPLY, **problem_responses(401, 403, 422)},
    openapi_extra=narrowed(),
)
async def export_households(
    caller: HouseholdsRead,
    request: Request,
    what: Annotated[What, Query(description="What a row is.")] = What.HOUSEHOLDS,
    format: Annotated[
        Format, Query(description="A Parquet file that broke off cannot be read: begin it anew.")
    ] = Format.CSV,
    area: Annotated[
        str | None,
        Query(
            pattern=r"^(KH|([0-9]{2}){1,3})$",
            max_length=6,
            description="An area from the country down to the commune; none: the country.",
            examples=["010201"],
        ),
    ] = None,
    changed_since: Annotated[
        Instant | None, Query(description="Only what changed then, or later.")
    ] = None,
    after: Annotated[
        UUID | None,
        Query(description="The `id` of the last row that you have: the export goes on behind it."),
    ] = None,
    persons: Annotated[
        bool,
        Query(
            description="Also persons, birth dates and health: takes `households:read-personal`."
        ),
    ] = False,
) -> StreamingResponse:
    """Rows by `id`, as long as there are any: each as it stands when its part is read. In CSV `'`
    is put before text that a spreadsheet would take for a formula. Whoever speaks for a partner is
    shown persons of households alone that agree to it. Who took it out, with which filters and how
    many rows stands in the audit record."""
    if persons and READ_PERSONAL not in caller.scopes:
        raise Forbidden(f"Persons are taken out with the scope {READ_PERSONAL} alone.")
    personal_data: PersonalData = request.app.state.personal_data
    sharings: list[Sharing] = []
    if persons:
        async with request.app.state.database.reading() as session:
            sharings = await sharings_with(session, caller, request.app.state.settings)
    taken = Taken()
    asked = Asked(
        what=what,
        persons=persons,
        bound=caller.areas,
        area=None if area in (None, COUNTRY_CODE) else (str(area),),
        changed_since=changed_since,
        after=after,
        sharings=sharings,
    )
    pieces = service.pieces(
        request.app.state.database, asked, taken, format=format, personal_data=personal_data
    )
    name = f'attachment; filename="{what}.{format}"'
    return Export(
        request,
        pieces,
        taken,
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": name},
    )
