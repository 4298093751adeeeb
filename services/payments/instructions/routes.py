"""Instructions: how each payment stands, and everything that happened to it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.payments.instructions import export, repository, service
from services.payments.instructions.schemas import InstructionHistoryOut, InstructionOut
from services.payments.instructions.states import Status
from services.payments.listing import ActivationFilter, page_of_rows
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import PaymentsRead
from shared.audit import Export, Taken
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/instructions", tags=["instructions"])

StatusFilter = Annotated[Status | None, Query(description="Only those in this state.")]
ChunkFilter = Annotated[UUID | None, Query(description="Only those of this chunk.")]
EntitlementFilter = Annotated[UUID | None, Query(description="Every attempt for this entitlement.")]
ProviderFilter = Annotated[ProviderCode | None, Query(description="Only those at this provider.")]

CSV = "text/csv"
_EXAMPLE = ",".join(export.COLUMNS) + (
    "\r\n0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10,0199c1de-6100-7a54-8f62-0d6f0a6f5b12,"
    "0199c1dd-6100-7a54-8f62-0d6f0a6f5b13,0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f,"
    "0199c1de-5c00-7a54-8f62-0d6f0a6f5b11,flood-2022,1,020103,mekong,96000,KHR,,settled,1,1,,"
    "mekong-0000000042,2020-10-12T02:03:03.000000Z,2020-10-12T02:03:04.000000Z\r\n"
)
_EXPORT_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"CSV with a header: {', '.join(export.COLUMNS)}.",
        "content": {CSV: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@router.get(
    "",
    summary="List instructions",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_instructions(
    caller: PaymentsRead,
    session: Session,
    page: PageQuery,
    status: StatusFilter = None,
    activation_id: ActivationFilter = None,
    chunk_id: ChunkFilter = None,
    entitlement_id: EntitlementFilter = None,
    provider: ProviderFilter = None,
) -> PageOf[InstructionOut]:
    """Instructions in the order of their ids, which keeps those of a round together. Filters narrow
    each other."""
    rows = await repository.list_instructions(
        session,
        after=page.after(UUID),
        limit=page.fetch_limit,
        bound=caller.areas,
        status=status,
        activation_id=activation_id,
        chunk_id=chunk_id,
        entitlement_id=entitlement_id,
        provider=provider,
    )
    return page_of_rows(page, rows, InstructionOut, key=lambda row: (row.id,))


@router.get(
    "/export",
    summary="Export instructions",
    response_class=StreamingResponse,
    responses={**_EXPORT_REPLY, **problem_responses(401, 403, 422)},
    openapi_extra=narrowed(),
)
async def export_instructions(
    caller: PaymentsRead,
    request: Request,
    status: StatusFilter = None,
    activation_id: ActivationFilter = None,
    chunk_id: ChunkFilter = None,
    entitlement_id: EntitlementFilter = None,
    provider: ProviderFilter = None,
) -> StreamingResponse:
    """All that the list shows with the same filters, as one CSV: ids, codes, amounts and times,
    neither accounts nor names. Each payment is told once, as it stands when its part is read;
    `'` is put before text that a spreadsheet would take for a formula. Who took it out, with which
    filters and how many rows stands in the audit record."""
    filters = export.Filters(
        status=status,
        activation_id=activation_id,
        chunk_id=chunk_id,
        entitlement_id=entitlement_id,
        provider=provider,
        bound=caller.areas,
    )
    taken = Taken()
    pieces = export.pieces(request.app.state.database, filters, taken)
    return Export(request, pieces, taken, media_type=CSV)


@router.get(
    "/{instruction_id}",
    summary="Get an instruction",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_instruction(
    instruction_id: UUID, caller: PaymentsRead, session: Session
) -> InstructionHistoryOut:
    """One payment with every move it made and every row it wrote in the ledger; the rows, which add
    up more than it, are not told to whoever is bound to areas."""
    return await service.get_history(session, instruction_id, bound=caller.areas)
