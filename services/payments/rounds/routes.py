"""Rounds: which are released for dispatch, and what the others wait for."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import text

from services.payments.rounds.schemas import Round
from services.payments.rounds.tables import RoundStatus
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery, decode_cursor, encode_cursor

router = APIRouter(prefix="/rounds", tags=["rounds"])

_LIST = text(
    """
    SELECT number, enrolment_id, activation_id, scheme, round, fund, currency,
        status::text AS status, reason, chunk_count, entitlement_count, total_minor,
        reserved_minor, announced_at, released_at
    FROM payments.payment_round
    WHERE number > :after
      AND (CAST(:activation_id AS uuid) IS NULL OR activation_id = :activation_id)
      AND (CAST(:status AS text) IS NULL
          OR status = CAST(CAST(:status AS text) AS payments.round_status))
    ORDER BY number
    LIMIT :limit
    """
)


@router.get("", summary="List rounds", responses=problem_responses(400, 401, 403, 422))
async def list_rounds(
    caller: PaymentsRead,
    session: Session,
    page: PageQuery,
    activation_id: Annotated[
        UUID | None, Query(description="Only those of this activation.")
    ] = None,
    status: Annotated[RoundStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[Round]:
    """Rounds in the order in which they were announced; one that waits for money says so."""
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
        items=[Round.model_validate(row._asdict()) for row in shown],
        next_cursor=encode_cursor(shown[-1].number) if len(rows) > page.limit else None,
    )
