"""Chunks: what the registry announced, and the outcomes that it fetches back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import text

from services.payments.chunks import outcomes
from services.payments.chunks.schemas import Chunk
from services.payments.chunks.tables import ChunkStatus
from services.payments.scopes import PaymentsRead
from shared.contracts.outcomes import MEDIA_TYPE
from shared.database import Session
from shared.errors import NotFound, problem_responses
from shared.pagination import PageOf, PageQuery, decode_cursor, encode_cursor

router = APIRouter(prefix="/chunks", tags=["chunks"])

_SELECT = """
    SELECT chunk.number, chunk.chunk_id, payment_round.enrolment_id, payment_round.activation_id,
        payment_round.scheme, payment_round.round, chunk.fund, chunk.currency,
        chunk.entitlement_count, chunk.total_minor, chunk.status::text AS status, chunk.reason,
        chunk.announced_at, chunk.raised_at, chunk.settled_at
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
"""
_LIST = text(
    _SELECT
    + """
    WHERE chunk.number > :after
      AND (CAST(:activation_id AS uuid) IS NULL OR payment_round.activation_id = :activation_id)
      AND (CAST(:status AS text) IS NULL
          OR chunk.status = CAST(CAST(:status AS text) AS payments.chunk_status))
    ORDER BY chunk.number
    LIMIT :limit
    """
)
_GET = text(_SELECT + " WHERE chunk.chunk_id = :chunk_id")


@router.get("", summary="List chunks", responses=problem_responses(400, 401, 403, 422))
async def list_chunks(
    caller: PaymentsRead,
    session: Session,
    page: PageQuery,
    activation_id: Annotated[
        UUID | None, Query(description="Only those of this activation.")
    ] = None,
    status: Annotated[ChunkStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[Chunk]:
    """Chunks in the order in which they were announced; refused ones say why."""
    after = decode_cursor(page.cursor, int)[0] if page.cursor else 0
    rows = (
        await session.execute(
            _LIST,
            {
                "after": after,
                "limit": page.limit + 1,
                "activation_id": activation_id,
                "status": status.value if status else None,
            },
        )
    ).all()
    shown = rows[: page.limit]
    return PageOf(
        items=[Chunk.model_validate(row._asdict()) for row in shown],
        next_cursor=encode_cursor(shown[-1].number) if len(rows) > page.limit else None,
    )


@router.get("/{chunk_id}", summary="Get a chunk", responses=problem_responses(401, 403, 404, 422))
async def get_chunk(chunk_id: UUID, caller: PaymentsRead, session: Session) -> Chunk:
    """One chunk and where it stands."""
    row = (await session.execute(_GET, {"chunk_id": chunk_id})).one_or_none()
    if row is None:
        raise NotFound("No chunk with this id was announced here. GET /chunks lists them.")
    return Chunk.model_validate(row._asdict())


@router.get(
    "/{chunk_id}/outcomes",
    response_class=Response,
    summary="Get a chunk's outcomes",
    responses={
        200: {
            "description": "One row for each entitlement that has its end: entitlement_id, outcome "
            "(`paid` or `failed`), reason, finished_at.",
            "content": {
                MEDIA_TYPE: {
                    "example": "0199c1de-6100-7a54-8f62-0d6f0a6f5b12,paid,,"
                    "2020-10-12T02:03:04.000000Z\r\n"
                }
            },
        },
        **problem_responses(401, 403, 404, 422),
    },
)
async def get_outcomes(chunk_id: UUID, caller: PaymentsRead, session: Session) -> Response:
    """How each payment of the chunk ended, as CSV: for the registry, after PaymentsSettled."""
    row = (await session.execute(_GET, {"chunk_id": chunk_id})).one_or_none()
    if row is None:
        raise NotFound("No chunk with this id was announced here. GET /chunks lists them.")
    content = await outcomes.read_outcomes(session, row.number)
    return Response(content, media_type=MEDIA_TYPE)
