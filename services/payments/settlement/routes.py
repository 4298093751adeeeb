"""How the payments of a chunk ended: what the registry fetches back."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.payments.chunks.service import get_chunk
from services.payments.scopes import PaymentsRead
from services.payments.settlement.repository import read_outcomes
from shared.contracts.outcomes import MEDIA_TYPE
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(prefix="/chunks", tags=["chunks"])


@router.get(
    "/{chunk_id}/outcomes",
    response_class=Response,
    summary="Get a chunk's outcomes",
    responses={
        200: {
            "description": "One row for each entitlement that has its end: entitlement_id, outcome "
            "(`paid`, `failed` or `unpayable`), reason, finished_at.",
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
async def get_outcomes(chunk_id: UUID, _: PaymentsRead, session: Session) -> Response:
    """How each payment of the chunk ended, as CSV: for the registry, after PaymentsSettled, and
    after PaymentsProgressed for those that have their end already."""
    chunk = await get_chunk(session, chunk_id)
    content = await read_outcomes(session, chunk.number)
    return Response(content, media_type=MEDIA_TYPE)
