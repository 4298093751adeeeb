"""Chunks of entitlements over HTTP, for payments to fetch."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.registry.chunks import repository
from services.registry.chunks.states import ChunkStatus
from services.registry.chunks.streaming import ChunkStreams
from services.registry.scopes import EntitlementsRead
from shared.contracts.entitlements import BINARY, COLUMNS, CSV
from shared.database import Database
from shared.errors import Conflict, NotFound, problem_responses
from shared.streams import HeldStream

router = APIRouter(prefix="/entitlement-chunks", tags=["entitlements"])


_EXAMPLE = (
    "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10,0199c1de-0000-7f6b-8a27-2f1f6a1d9a10,020101,176000,KHR,"
    "mekong,\\x0001a3f1,1,\\x5f70bf18a086007c,\\x\n"
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
    "/{chunk_id}/entitlements",
    summary="Fetch a chunk of entitlements",
    response_class=StreamingResponse,
    responses={**_CHUNK_REPLY, **problem_responses(401, 403, 404, 409, 422)},
)
async def stream_chunk(
    chunk_id: UUID,
    caller: EntitlementsRead,
    request: Request,
    households: Annotated[
        bool,
        Query(
            description="Also tell each household's fingerprint of now, the one column that may "
            "change; it is empty otherwise."
        ),
    ] = False,
) -> HeldStream:
    """The payable entitlements of an announced chunk, as a stream; the same bytes each time.

    Their number and sum are those of the announcement, whatever changed since. Accounts are
    sealed: only payments' provider adapter opens one, when it sends. Few are read at once, and
    one that is read too slowly breaks off: fetch it again.
    """
    database: Database = request.app.state.database
    async with database.transaction() as session:
        chunk = await repository.find_chunk(session, chunk_id)
    if chunk is None:
        raise NotFound("There is no such chunk.")
    if chunk.status in (ChunkStatus.PLANNED, ChunkStatus.EMPTY):
        raise Conflict(f"The chunk is {chunk.status}: nothing of it was announced.")
    is_binary = BINARY in request.headers.get("accept", "")
    streams: ChunkStreams = request.app.state.chunk_streams
    return HeldStream(
        streams.pieces(
            chunk,
            format="binary" if is_binary else "csv",
            households=households,
            caller=caller.subject,
        ),
        media_type=BINARY if is_binary else CSV,
        headers={"Vary": "Accept"},
    )
