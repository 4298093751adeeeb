"""Households whose time is over, and their erasure, in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Row, bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from services.registry.accounts.repository import CAN_STILL_BE_PAID
from services.registry.approvals.tables import Approval
from services.registry.erasures.tables import ErasureBatch


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When the time of a household is over."""

    archived_before: datetime
    paid_before: datetime
    """Of what was paid later accounting must still explain to whom."""
    now: datetime


# What somebody has to decide: suspicions, and what waits for a second person.
_UNDER_WAY = """
    SELECT first_household_id AS household_id FROM registry.duplicate_suspect
    WHERE withdrawn_at IS NULL AND decision IS NULL
    UNION ALL
    SELECT second_household_id FROM registry.duplicate_suspect
    WHERE withdrawn_at IS NULL AND decision IS NULL
    UNION ALL
    SELECT household_id FROM registry.appeal WHERE decision IS NULL
    UNION ALL
    SELECT CAST(document ->> 'household_id' AS uuid) FROM registry.approval
    WHERE decision IS NULL AND expires_at > :now AND document ->> 'household_id' IS NOT NULL
    UNION ALL
    SELECT CAST(also AS uuid)
    FROM registry.approval, jsonb_object_keys(document -> 'versions') AS also
    WHERE decision IS NULL AND expires_at > :now AND kind = 'household_act'
    UNION ALL
    SELECT change.household_id
    FROM registry.approval JOIN registry.account_change AS change ON change.batch_id = approval.id
    WHERE decision IS NULL AND expires_at > :now
"""
# Nothing of it is under way, and nothing has to be explained of it by who they were.
_IS_DUE = f"""
    household.archived_at < :archived_before AND household.erased_at IS NULL
    AND NOT ({CAN_STILL_BE_PAID})
    AND NOT EXISTS (
        SELECT FROM registry.entitlement
        WHERE entitlement.household_id = household.id
          AND status = 'paid' AND finished_at >= :paid_before)
    AND NOT EXISTS (
        SELECT FROM ({_UNDER_WAY}) AS under_way WHERE under_way.household_id = household.id)
"""
_RULE = [
    bindparam(name, type_=DateTime(timezone=True))
    for name in ("archived_before", "paid_before", "now")
]
_AFTER = bindparam("after", type_=Uuid)
_INSTANTS = text(
    """
    SELECT :now - make_interval(months => CAST(:archived_months AS integer)) AS archived_before,
           :now - make_interval(months => CAST(:accounting_months AS integer)) AS paid_before
    """
).bindparams(bindparam("now", type_=DateTime(timezone=True)))
_DUE = text(
    f"""
    SELECT household.id, household.area_code, household.archived_at, household.archived_because
    FROM registry.household
    WHERE {_IS_DUE} AND (CAST(:after AS uuid) IS NULL OR household.id > :after)
    ORDER BY household.id
    LIMIT :limit
    """
).bindparams(*_RULE, _AFTER)
_PLAN = text(
    f"""
    WITH planned AS (
        INSERT INTO registry.erasure_planned (batch_id, household_id)
        SELECT :batch_id, household.id FROM registry.household
        WHERE {_IS_DUE} ORDER BY household.id LIMIT :limit
        RETURNING household_id
    )
    UPDATE registry.erasure_batch SET households = (SELECT count(*) FROM planned)
    WHERE id = :batch_id
    """
).bindparams(*_RULE, bindparam("batch_id", type_=Uuid))
_COUNT = text(
    f"""
    SELECT count(*) FROM (
        SELECT FROM registry.household WHERE {_IS_DUE} LIMIT :limit) AS due
    """
).bindparams(*_RULE)
_NEXT = text(
    """
    SELECT household_id FROM registry.erasure_planned
    WHERE batch_id = :batch_id AND (CAST(:after AS uuid) IS NULL OR household_id > :after)
    ORDER BY household_id LIMIT :limit
    """
).bindparams(_AFTER, bindparam("batch_id", type_=Uuid))
# Locked in one order, and looked at again: it may have been restored since.
_LOCK = text(
    """
    SELECT id FROM registry.household WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_STILL_DUE = text(
    f"""
    SELECT household.id, household.area_code FROM registry.household
    WHERE household.id = ANY(:ids) AND {_IS_DUE} ORDER BY household.id
    """
).bindparams(*_RULE, bindparam("ids", type_=ARRAY(Uuid)))


async def rule_of(
    session: AsyncSession, *, archived_months: int, accounting_months: int, now: datetime
) -> Rule:
    """The rule as it is at an instant."""
    row = (
        await session.execute(
            _INSTANTS,
            {
                "now": now,
                "archived_months": archived_months,
                "accounting_months": accounting_months,
            },
        )
    ).one()
    return Rule(archived_before=row.archived_before, paid_before=row.paid_before, now=now)


async def list_due(
    session: AsyncSession, rule: Rule, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Households whose time is over, by id."""
    return (await session.execute(_DUE, {**vars(rule), "after": after, "limit": limit})).all()


async def count_due(session: AsyncSession, rule: Rule, *, limit: int) -> int:
    """How many households are due, of ``limit`` at most."""
    return int((await session.execute(_COUNT, {**vars(rule), "limit": limit})).scalar_one())


async def plan(session: AsyncSession, batch_id: UUID, rule: Rule, *, limit: int) -> int:
    """Keep which households are due now, to be erased by one proposal; how many they are."""
    await session.execute(
        insert(ErasureBatch).values(
            id=batch_id,
            archived_before=rule.archived_before,
            paid_before=rule.paid_before,
            households=0,
        )
    )
    await session.execute(_PLAN, {**vars(rule), "batch_id": batch_id, "limit": limit})
    query = select(ErasureBatch.households).where(ErasureBatch.id == batch_id)
    return int((await session.scalars(query)).one())


async def find_batch(session: AsyncSession, batch_id: UUID) -> Row[ErasureBatch, Approval] | None:
    """An erasure of many, with its proposal."""
    rows = await session.execute(
        select(ErasureBatch, Approval)
        .join(Approval, Approval.id == ErasureBatch.id)
        .where(ErasureBatch.id == batch_id)
    )
    return rows.one_or_none()


async def approve_batch(session: AsyncSession, batch_id: UUID, *, at: datetime) -> None:
    """Keep that the worker is to carry an erasure out."""
    await keep_progress(session, batch_id, approved_at=at)


async def claim_batch(session: AsyncSession) -> Row[ErasureBatch, Approval] | None:
    """An erasure to be carried out, with its proposal, locked until the commit; None: no other."""
    rows = await session.execute(
        select(ErasureBatch, Approval)
        .join(Approval, Approval.id == ErasureBatch.id)
        .where(ErasureBatch.approved_at.is_not(None), ErasureBatch.finished_at.is_(None))
        .order_by(ErasureBatch.approved_at)
        .limit(1)
        .with_for_update(of=ErasureBatch, skip_locked=True)
    )
    return rows.one_or_none()


async def next_planned(
    session: AsyncSession, batch_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The next households of an erasure, by id."""
    values = {"batch_id": batch_id, "after": after, "limit": limit}
    found: Sequence[UUID] = (await session.scalars(_NEXT, values)).all()
    return found


async def lock_still_due(
    session: AsyncSession, household_ids: Sequence[UUID], rule: Rule
) -> Sequence[Any]:
    """Those of some households that are due still, and where they live; nobody else changes them
    until the commit."""
    await session.execute(_LOCK, {"ids": household_ids})
    return (await session.execute(_STILL_DUE, {**vars(rule), "ids": household_ids})).all()


async def keep_progress(session: AsyncSession, batch_id: UUID, **fields: Any) -> None:
    """Keep how far an erasure is; ``fields`` are the table's columns."""
    await session.execute(
        update(ErasureBatch)
        .where(ErasureBatch.id == batch_id)
        .values(fields)
        .execution_options(synchronize_session=False)
    )
