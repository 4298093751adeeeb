"""Entitlements over HTTP: one by one with their reasons, and chunk by chunk for payments."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.registry.entitlements import repository
from services.registry.entitlements.schemas import (
    ComponentOut,
    EntitlementExplainedOut,
    EntitlementOut,
)
from services.registry.entitlements.states import ChunkStatus
from services.registry.entitlements.streaming import chunk_bytes
from services.registry.households.tables import FEATURES
from services.registry.schemes.benefit import components
from services.registry.schemes.repository import get_document
from shared.auth import Caller, require
from shared.contracts.entitlements import BINARY, COLUMNS, CSV
from shared.database import Database, Session
from shared.errors import Conflict, NotFound, problem_responses
from shared.pagination import Page, PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(tags=["entitlements"])

EntitlementsRead = Annotated[Caller, require("entitlements:read")]

_EXAMPLE = (
    "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10,0199c1de-0000-7f6b-8a27-2f1f6a1d9a10,020101,176000,KHR,"
    "wing,\\x0001a3f1\n"
)
_CHUNK_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            f"CSV without a header: {','.join(COLUMNS)}. With `Accept: {BINARY}` the same rows in "
            "the binary format of PostgreSQL's COPY."
        ),
        "content": {
            CSV: {"schema": {"type": "string"}, "example": _EXAMPLE},
            BINARY: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get(
    "/entitlements",
    summary="List a household's entitlements",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_entitlements(
    caller: EntitlementsRead,
    session: Session,
    page: PageQuery,
    household_id: Annotated[UUID, Query(description="Whose entitlements.")],
) -> PageOf[EntitlementOut]:
    """What a household is owed, or was, in every activation and round."""
    return await _of_household(session, household_id, page)


@router.get(
    "/households/{household_id}/entitlements",
    summary="List the entitlements of one household",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_household_entitlements(
    household_id: UUID, caller: EntitlementsRead, session: Session, page: PageQuery
) -> PageOf[EntitlementOut]:
    """The same list, found from the household."""
    return await _of_household(session, household_id, page)


async def _of_household(session: Session, household_id: UUID, page: Page) -> PageOf[EntitlementOut]:
    after = None
    if page.cursor:
        activation_id, number = decode_cursor(page.cursor, UUID, int)
        after = (activation_id, number)
    found = await repository.list_of_household(
        session, household_id, after=after, limit=page.limit + 1
    )
    rows = [EntitlementOut.model_validate(row._asdict()) for row in found]
    return page_of(rows, page=page, key=lambda one: (one.activation_id, one.round))


@router.get(
    "/entitlements/{entitlement_id}",
    summary="Explain one entitlement",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_entitlement(
    entitlement_id: UUID, caller: EntitlementsRead, session: Session
) -> EntitlementExplainedOut:
    """By which version and case of the scheme, and from which parts, its amount comes about."""
    row = await repository.find_explained(session, entitlement_id)
    if row is None:
        raise NotFound("There is no such entitlement. GET /entitlements lists a household's.")
    fields = row._asdict()
    document = await get_document(session, row.scheme, row.scheme_version)
    case = document.benefit[row.benefit_case - 1]
    parts = components(
        case, members=row.members, features={feature: fields[feature] for feature in FEATURES}
    )
    return EntitlementExplainedOut(
        **fields,
        benefit_where=case.where,
        eligibility=document.eligibility,
        components=[
            ComponentOut(
                name=part.name,
                count=part.count,
                each_minor=part.each_minor,
                amount_minor=part.amount_minor,
            )
            for part in parts
        ],
    )


@router.get(
    "/entitlement-chunks/{chunk_id}/entitlements",
    summary="Fetch a chunk of entitlements",
    response_class=StreamingResponse,
    responses={**_CHUNK_REPLY, **problem_responses(401, 403, 404, 409, 422)},
)
async def stream_chunk(
    chunk_id: UUID, caller: EntitlementsRead, request: Request
) -> StreamingResponse:
    """The payable entitlements of an announced chunk, as a stream; the same bytes each time.

    Their number and sum are those of the announcement, whatever changed since. Accounts are
    sealed: only payments' provider adapter opens one, when it sends.
    """
    database: Database = request.app.state.database
    async with database.transaction() as session:
        chunk = await repository.find_chunk(session, chunk_id)
    if chunk is None:
        raise NotFound("There is no such chunk.")
    if chunk.status in (ChunkStatus.PLANNED, ChunkStatus.EMPTY):
        raise Conflict(f"The chunk is {chunk.status}: nothing of it was announced.")
    is_binary = BINARY in request.headers.get("accept", "")
    return StreamingResponse(
        chunk_bytes(
            database, chunk_id, currency=chunk.currency, format="binary" if is_binary else "csv"
        ),
        media_type=BINARY if is_binary else CSV,
        headers={"Vary": "Accept"},
    )
