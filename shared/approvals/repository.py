"""What is asked of the database about steps that need two persons."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.approvals.schemas import ApprovalStatus
from shared.approvals.tables import Approval, Decision


async def add(session: AsyncSession, table: type[Approval], **values: Any) -> Approval:
    """The new row."""
    statement = insert(table).values(**values).returning(table)
    return (await session.scalars(statement)).one()


async def lock(
    session: AsyncSession,
    table: type[Approval],
    approval_id: UUID,
    *,
    shown: ColumnElement[bool] | None = None,
) -> Approval | None:
    """A proposal, locked for whoever decides it; None: there is none that is ``shown`` to them."""
    statement = _shown(table, shown).where(table.id == approval_id).with_for_update(of=table)
    return (
        await session.scalars(statement, execution_options={"populate_existing": True})
    ).one_or_none()


async def lock_all(
    session: AsyncSession,
    table: type[Approval],
    approval_ids: Collection[UUID],
    *,
    shown: ColumnElement[bool] | None,
) -> None:
    """Lock several proposals for whoever decides them, in the order of their ids."""
    ids = _shown(table, shown).with_only_columns(table.id).where(table.id.in_(approval_ids))
    await session.execute(ids.order_by(table.id).with_for_update(of=table))


async def find(
    session: AsyncSession, table: type[Approval], approval_id: UUID, *, shown: ColumnElement[bool]
) -> Approval | None:
    """A proposal, or None."""
    statement = _shown(table, shown).where(table.id == approval_id)
    return (await session.scalars(statement)).one_or_none()


def _shown(table: type[Approval], shown: ColumnElement[bool] | None) -> Select[Any]:
    query: Select[Any] = select(table)
    return query if shown is None else query.where(shown)


async def decide(
    session: AsyncSession,
    table: type[Approval],
    approval_id: UUID,
    decision: Decision,
    *,
    by: str,
    at: datetime,
    reason: str,
) -> Approval:
    """Keep a decision about a locked proposal."""
    statement = (
        update(table)
        .where(table.id == approval_id, table.decision.is_(None))
        .values(decision=decision, decided_by=by, decided_at=at, decision_reason=reason)
        .returning(table)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def set_outcome(
    session: AsyncSession, table: type[Approval], approval_id: UUID, outcome: str
) -> None:
    """Keep where what came of a proposal is read."""
    await session.execute(update(table).where(table.id == approval_id).values(outcome=outcome))


async def waiting_by_kind(
    session: AsyncSession, table: type[Approval], *, now: datetime
) -> Sequence[tuple[str, int, datetime]]:
    """How many proposals wait for a second person, by kind, and since when the oldest does."""
    rows = await session.execute(
        select(table.kind, func.count(), func.min(table.proposed_at))
        .where(*_stands(table, ApprovalStatus.WAITING, now=now))
        .group_by(table.kind)
        .order_by(table.kind)
    )
    return [(str(kind), count, oldest_at) for kind, count, oldest_at in rows]


async def list_approvals(
    session: AsyncSession,
    table: type[Approval],
    *,
    status: ApprovalStatus,
    kind: StrEnum | None,
    now: datetime,
    shown: ColumnElement[bool],
    after: UUID | None,
    limit: int,
) -> Sequence[Approval]:
    """Proposals in the order of their ids, which is that of their making."""
    statement = _shown(table, shown).where(*_stands(table, status, now=now))
    if kind is not None:
        statement = statement.where(table.kind == kind)
    if after is not None:
        statement = statement.where(table.id > after)
    return (await session.scalars(statement.order_by(table.id).limit(limit))).all()


def _stands(
    table: type[Approval], status: ApprovalStatus, *, now: datetime
) -> tuple[ColumnElement[bool], ...]:
    match status:
        case ApprovalStatus.WAITING:
            return (table.decision.is_(None), table.expires_at > now)
        case ApprovalStatus.EXPIRED:
            return (table.decision.is_(None), table.expires_at <= now)
        case ApprovalStatus.APPROVED:
            return (table.decision == Decision.APPROVED,)
        case ApprovalStatus.DECLINED:
            return (table.decision == Decision.DECLINED,)
        case _:
            assert_never(status)
