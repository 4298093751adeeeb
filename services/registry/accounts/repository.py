"""Changes of accounts in the database: who is enrolled, what waits, and what is made of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, LargeBinary, Text, Uuid

from services.registry.accounts.tables import AccountBatch, AccountChange
from services.registry.approvals.tables import Approval, ApprovalKind
from services.registry.changes.repository import keep_accounts
from services.registry.households.tables import PayeeAccount

PARTLY_TAKEN = b""
"""The content index of a household of which an import's row says an account that waits: no row
equals it, so the same file sent again is looked at again."""

_LOCK_CLASS = 7_202

_ACTIVATIONS = """
    SELECT activation.id
    FROM registry.activation
    WHERE activation.cancelled_on IS NULL AND activation.scheme_version IS NOT NULL
"""
_HAS_ROUNDS_TO_COME = """
    EXISTS (SELECT FROM registry.payment_round AS round
            WHERE round.activation_id = activation.id AND round.released_at IS NULL)
"""


def _has_chunk(such: str) -> str:
    return f"""
    EXISTS (SELECT FROM registry.entitlement_chunk AS chunk
            WHERE chunk.activation_id = activation.id AND chunk.home_chunk_id IS NULL
              AND ({such}))
    """


_PLANNED = "chunk.status = 'planned'"
_UNPAID = "chunk.paid_count < chunk.payable_count + chunk.unpayable_count"
# Whatever is unpaid of it, or not released yet, would go to the account that is there then.
CAN_STILL_PAY = f"""
    {_ACTIVATIONS} AND ({_HAS_ROUNDS_TO_COME} OR {_has_chunk(f"{_PLANNED} OR {_UNPAID}")})
"""
# What another household is owed and was not paid keeps nobody.
CAN_STILL_BE_PAID = f"""
    EXISTS (SELECT FROM registry.enrolment
            WHERE enrolment.household_id = household.id AND activation_id IN (
                {_ACTIVATIONS} AND ({_HAS_ROUNDS_TO_COME} OR {_has_chunk(_PLANNED)})))
    OR EXISTS (SELECT FROM registry.entitlement
               WHERE entitlement.household_id = household.id
                 AND (status = 'ready' OR status IN ('failed', 'unpayable', 'refused')
                      AND activation_id IN ({_ACTIVATIONS})))
"""
"""Of one household, in a statement about ``household``."""
_IS_ENROLLED = text(
    f"""
    SELECT EXISTS (SELECT FROM registry.enrolment
                   WHERE household_id = :household_id AND activation_id IN ({CAN_STILL_PAY}))
    """
)
_CAN_STILL_BE_PAID = text(
    f"SELECT {CAN_STILL_BE_PAID} FROM registry.household WHERE id = :household_id"
)
_COUNT = text(
    f"""
    SELECT (SELECT count(*) FROM registry.account_change WHERE batch_id = :batch_id)::integer
               AS households,
           (SELECT count(DISTINCT change.household_id)
            FROM registry.account_change AS change
            JOIN registry.enrolment ON enrolment.household_id = change.household_id
            WHERE change.batch_id = :batch_id
              AND enrolment.activation_id IN ({CAN_STILL_PAY}))::integer AS enrolled
    """
).columns(households=Integer, enrolled=Integer)

# Some thousands are few against the registry, whatever the statistics say.
_PREFER_INDEXES = text(
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true)
    """
)

# Locked in one order. An account that is newer than the change knows better.
_NEXT = text(
    """
    SELECT change.id, change.household_id, household.area_code,
           account.id IS NULL
               OR account.began_at <= change.asked_at
                   AND (account.provider_code, account.account_index)
                       <> (change.provider_code, change.account_index) AS applies
    FROM registry.account_change AS change
    JOIN registry.household ON household.id = change.household_id
    LEFT JOIN registry.payee_account AS account
        ON account.household_id = change.household_id AND account.ended_at IS NULL
    WHERE change.batch_id = :batch_id AND (:after IS NULL OR change.household_id > :after)
      AND household.erased_at IS NULL
    ORDER BY change.household_id
    LIMIT :limit
    FOR NO KEY UPDATE OF household
    """
).bindparams(bindparam("after", type_=Uuid))

_IDS = bindparam("ids", type_=ARRAY(Uuid))
_END = text(
    """
    UPDATE registry.payee_account AS account
    SET ended_at = greatest(:now, account.began_at)
    FROM registry.account_change AS change
    WHERE change.id = ANY(:ids) AND account.household_id = change.household_id
      AND account.ended_at IS NULL
    """
).bindparams(_IDS)
_BEGIN = text(
    """
    INSERT INTO registry.payee_account
        (id, household_id, provider_code, account_sealed, account_index, began_at, changed_by,
         changed_alone, approval_id)
    SELECT id, household_id, provider_code, account_sealed, account_index, :now, :by,
           CAST(:approval_id AS uuid) IS NULL, :approval_id
    FROM registry.account_change WHERE id = ANY(:ids)
    """
).bindparams(_IDS, bindparam("by", type_=Text), bindparam("approval_id", type_=Uuid))
# The trigger on households says in which transaction: whoever follows changes hears of accounts.
_TOUCH = text(
    """
    UPDATE registry.household SET changed_in = household.changed_in
    FROM registry.account_change AS change
    WHERE change.id = ANY(:ids) AND household.id = change.household_id
    """
).bindparams(_IDS)
_TAKEN_WHOLE = text(
    """
    UPDATE registry.household SET content_index = change.content_index
    FROM registry.account_change AS change
    WHERE change.id = ANY(:ids) AND household.id = change.household_id
      AND household.content_index = :partly AND change.content_index IS NOT NULL
    """
).bindparams(_IDS, bindparam("partly", value=PARTLY_TAKEN, type_=LargeBinary))


async def lock_changes_of(session: AsyncSession, person: str) -> None:
    """Until the commit nobody else counts or makes changes of a person."""
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK_CLASS, func.hashtext(person))))


async def count_alone(session: AsyncSession, person: str, *, since: datetime) -> int:
    """How many accounts of known households a person changed alone since then."""
    counted = await session.scalar(
        select(func.count()).where(
            PayeeAccount.changed_alone,
            PayeeAccount.changed_by == person,
            PayeeAccount.began_at >= since,
        )
    )
    return int(counted or 0)


async def can_still_be_paid(session: AsyncSession, household_id: UUID) -> bool:
    """Whether there is anything that this household may still be paid."""
    return bool(await session.scalar(_CAN_STILL_BE_PAID, {"household_id": household_id}))


async def is_enrolled(session: AsyncSession, household_id: UUID) -> bool:
    """Whether a household is enrolled in an activation that can still pay."""
    return bool(await session.scalar(_IS_ENROLLED, {"household_id": household_id}))


async def add_change(session: AsyncSession, **fields: Any) -> None:
    """Keep an account that waits; ``fields`` are the table's columns."""
    await session.execute(insert(AccountChange).values(fields))


async def find_waiting(
    session: AsyncSession,
    household_id: UUID,
    *,
    provider_code: str,
    account_index: bytes,
    proposed_by: str,
    now: datetime,
) -> Approval | None:
    """A proposal of the same person that would give a household the same account."""
    return await session.scalar(
        select(Approval)
        .join(AccountChange, AccountChange.batch_id == Approval.id)
        .where(
            Approval.decision.is_(None),
            Approval.expires_at > now,
            Approval.kind == ApprovalKind.ACCOUNT_CHANGE,
            Approval.proposed_by == proposed_by,
            AccountChange.household_id == household_id,
            AccountChange.provider_code == provider_code,
            AccountChange.account_index == account_index,
        )
        .limit(1)
    )


@dataclass(frozen=True)
class Counted:
    """Whose accounts a batch would change."""

    households: int
    enrolled: int


async def count_changes(session: AsyncSession, batch_id: UUID) -> Counted:
    """How many changes a batch is, and of how many enrolled households."""
    row = (await session.execute(_COUNT, {"batch_id": batch_id})).one()
    return Counted(row.households, row.enrolled)


@dataclass(frozen=True)
class MadeChanges:
    """Some changes of a batch that were looked at: the last, and how many were made."""

    looked_at: int
    changed: int
    last: UUID | None
    communes: frozenset[str]
    """Where those households live whose accounts were changed."""


async def make_changes(
    session: AsyncSession,
    batch_id: UUID,
    *,
    by: str,
    approval_id: UUID | None,
    after: UUID | None = None,
    limit: int,
    now: datetime,
) -> MadeChanges:
    """Give the next households of a batch their accounts; without an approval, ``by`` alone.

    An account that is newer than the change is left alone.
    """
    await session.execute(_PREFER_INDEXES)
    values = {"batch_id": batch_id, "after": after, "limit": limit}
    looked_at = (await session.execute(_NEXT, values)).all()
    ids = [row.id for row in looked_at if row.applies]
    if ids:
        await session.execute(_TOUCH, {"ids": ids})
        await session.execute(_END, {"ids": ids, "now": now})
        await session.execute(
            _BEGIN, {"ids": ids, "now": now, "by": by, "approval_id": approval_id}
        )
        await keep_accounts(session, ids, by=by, approval_id=approval_id, at=now)
    await session.execute(_TAKEN_WHOLE, {"ids": [row.id for row in looked_at]})
    last = looked_at[-1].household_id if looked_at else None
    return MadeChanges(
        looked_at=len(looked_at),
        changed=len(ids),
        last=last,
        communes=frozenset(row.area_code for row in looked_at if row.applies),
    )


async def add_batch(session: AsyncSession, **fields: Any) -> None:
    """Keep the changes of an import that wait; ``fields`` are the table's columns."""
    await session.execute(insert(AccountBatch).values(fields))


async def approve_batch(session: AsyncSession, batch_id: UUID, *, at: datetime) -> AccountBatch:
    """Keep that the changes of an import are to be made."""
    approved = await session.scalars(
        update(AccountBatch)
        .where(AccountBatch.id == batch_id)
        .values(approved_at=at)
        .returning(AccountBatch)
    )
    return approved.one()


async def claim_batch(session: AsyncSession) -> Row[AccountBatch, Approval] | None:
    """A batch with changes to make, with its proposal, locked until the commit; None: no other."""
    rows = await session.execute(
        select(AccountBatch, Approval)
        .join(Approval, Approval.id == AccountBatch.id)
        .where(AccountBatch.approved_at.is_not(None), AccountBatch.finished_at.is_(None))
        .order_by(AccountBatch.approved_at)
        .limit(1)
        .with_for_update(of=AccountBatch, skip_locked=True)
    )
    return rows.one_or_none()


async def keep_progress(session: AsyncSession, batch_id: UUID, **fields: Any) -> None:
    """Keep how far the changes of a batch are; ``fields`` are the table's columns."""
    await session.execute(
        update(AccountBatch)
        .where(AccountBatch.id == batch_id)
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def batches_of(
    session: AsyncSession, import_ids: Collection[UUID]
) -> list[tuple[AccountBatch, Approval]]:
    """The batches of some imports with their proposals, the oldest first."""
    rows = await session.execute(
        select(AccountBatch, Approval)
        .join(Approval, Approval.id == AccountBatch.id)
        .where(AccountBatch.import_id.in_(import_ids))
        .order_by(AccountBatch.id)
    )
    return [(batch, approval) for batch, approval in rows.all()]
