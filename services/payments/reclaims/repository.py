"""SQL of reclaims: what came back and was not claimed, giving it back, and what was."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from services.payments.approvals.tables import Approval
from services.payments.reclaims.tables import Reclaim, ReclaimItem
from services.payments.statements import AnyRow, AnySelect, paged

# What came back while it was held was never counted as paid: its money is back already.
_UNCLAIMED = """
    SELECT instruction.id, instruction.household_id, chunk.budget_line,
        coalesce(instruction.paid_minor, instruction.amount_minor) AS minor
    FROM payments.chunk
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE chunk.fund = :fund
      AND provider.code = :provider
      AND instruction.status = 'returned'
      AND (CAST(:before AS timestamptz) IS NULL OR instruction.finished_at < :before)
      AND (CAST(:ids AS uuid[]) IS NULL OR instruction.id = ANY(:ids))
      AND EXISTS (
          SELECT FROM payments.instruction_move AS move
          WHERE move.instruction_id = instruction.id AND move.to_status = 'settled'
      )
      AND NOT EXISTS (
          SELECT FROM payments.reclaim_item WHERE reclaim_item.instruction_id = instruction.id
      )
"""
_GIVEN = (bindparam("ids", type_=ARRAY(Uuid)),)

_SUM = text(
    f"""
    SELECT count(*) AS payments, count(DISTINCT household_id) AS households,
        coalesce(sum(minor), 0)::bigint AS amount_minor
    FROM ({_UNCLAIMED}) AS unclaimed
    """
).bindparams(*_GIVEN)

_TAKE = text(
    f"""
    WITH unclaimed AS MATERIALIZED ({_UNCLAIMED}),
    taken AS (
        INSERT INTO payments.reclaim_item (instruction_id, reclaim_id, amount_minor)
        SELECT id, :id, minor FROM unclaimed
    )
    SELECT budget_line, count(*) AS payments, sum(minor)::bigint AS amount_minor
    FROM unclaimed
    GROUP BY budget_line
    ORDER BY budget_line
    """
).bindparams(*_GIVEN)


async def sum_unclaimed(
    session: AsyncSession,
    *,
    fund: str,
    provider: str,
    before: datetime | None,
    ids: Sequence[UUID] | None,
) -> AnyRow:
    """How many payments of a fund came back to a provider's float and were not given back yet."""
    given = {"fund": fund, "provider": provider, "before": before, "ids": ids}
    return (await session.execute(_SUM, given)).one()


async def take_unclaimed(
    session: AsyncSession,
    reclaim_id: UUID,
    *,
    fund: str,
    provider: str,
    before: datetime | None,
    ids: Sequence[UUID] | None,
) -> Sequence[AnyRow]:
    """The same, kept as given back by a reclaim: their sums by budget line. The fund is locked."""
    given = {
        "id": reclaim_id,
        "fund": fund,
        "provider": provider,
        "before": before,
        "ids": ids,
    }
    return (await session.execute(_TAKE, given)).all()


async def insert_reclaim(
    session: AsyncSession,
    reclaim_id: UUID,
    *,
    fund: str,
    provider: str,
    amount_minor: int,
    currency: str,
    at: datetime,
) -> None:
    """Keep a reclaim that was carried out."""
    await session.execute(
        insert(Reclaim).values(
            id=reclaim_id,
            fund=fund,
            provider=provider,
            amount_minor=amount_minor,
            currency=currency,
            reclaimed_at=at,
        )
    )


def _select() -> AnySelect:
    return select(
        Reclaim.id,
        Reclaim.fund,
        Reclaim.provider,
        Reclaim.amount_minor,
        Reclaim.currency,
        Approval.households,
        Approval.reason,
        Approval.proposed_by,
        Approval.decided_by.label("approved_by"),
        Reclaim.reclaimed_at,
    ).join(Approval, Approval.id == Reclaim.id)


async def find_reclaim(session: AsyncSession, reclaim_id: UUID) -> AnyRow | None:
    """A reclaim with who decided on it."""
    return (await session.execute(_select().where(Reclaim.id == reclaim_id))).one_or_none()


async def list_reclaims(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """Reclaims in the order of their proposals."""
    return (await session.execute(paged(_select(), Reclaim.id, after=after, limit=limit))).all()


async def list_items(
    session: AsyncSession, reclaim_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """A reclaim's payments in the order of their ids."""
    query = select(ReclaimItem.instruction_id, ReclaimItem.amount_minor).where(
        ReclaimItem.reclaim_id == reclaim_id
    )
    return (
        await session.execute(paged(query, ReclaimItem.instruction_id, after=after, limit=limit))
    ).all()
