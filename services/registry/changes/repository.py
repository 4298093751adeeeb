"""Changes of households in the database, and who is said to make those of a transaction."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import DateTime, Text, Uuid

from services.registry.changes.keeping import SETTING
from services.registry.changes.tables import ChangeKind, EarlierPerson, HouseholdChange
from services.registry.households.tables import PayeeAccount
from services.registry.members.tables import Member

_SAY = f"SELECT set_config('{SETTING}', $1, true)"
_SAY_IN_SESSION = text(f"SELECT set_config('{SETTING}', :said, true)")

_KEEP_ACCOUNTS = text(
    """
    INSERT INTO registry.household_change (household_id, at, kind, by, import_id, approval_id,
        after)
    SELECT change.household_id, :at, 'account', :by, batch.import_id, :approval_id,
           jsonb_build_object('provider_code', change.provider_code)
    FROM registry.account_change AS change
    LEFT JOIN registry.account_batch AS batch ON batch.id = change.batch_id
    WHERE change.id = ANY(:ids)
    """
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("by", type_=Text),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("approval_id", type_=Uuid),
)


@dataclass(frozen=True, kw_only=True)
class Said:
    """Who changes households in this transaction, and why."""

    kind: ChangeKind
    by: str
    at: datetime | None = None
    """None: as the rows say."""
    import_id: UUID | None = None
    approval_id: UUID | None = None
    source: str | None = None
    reason: str | None = None

    def text(self) -> str:
        """As the transaction keeps it."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return orjson.dumps(given, default=str).decode()


async def say(session: AsyncSession, said: Said) -> None:
    """Say of every change that follows in this transaction who makes it, and why."""
    await session.execute(_SAY_IN_SESSION, {"said": said.text()})


async def say_on(connection: asyncpg.Connection, said: Said) -> None:
    """The same, for whoever stores by COPY."""
    await connection.execute(_SAY, said.text())


async def keep_accounts(
    session: AsyncSession, ids: Collection[UUID], *, by: str, approval_id: UUID | None, at: datetime
) -> None:
    """Keep that households are paid to other accounts, each by a change of accounts."""
    values = {"ids": list(ids), "by": by, "approval_id": approval_id, "at": at}
    await session.execute(_KEEP_ACCOUNTS, values)


async def version_of(session: AsyncSession, household_id: UUID) -> int:
    """The number of the latest change of a household, of its members or its account; 0: none was
    kept."""
    latest = await session.scalar(
        select(func.max(HouseholdChange.sequence)).where(
            HouseholdChange.household_id == household_id
        )
    )
    return int(latest or 0)


async def list_changes(
    session: AsyncSession, household_id: UUID, *, before: int | None, limit: int
) -> Sequence[HouseholdChange]:
    """Changes of a household, the newest first, before one of them."""
    query = select(HouseholdChange).where(HouseholdChange.household_id == household_id)
    if before is not None:
        query = query.where(HouseholdChange.sequence < before)
    rows = await session.scalars(query.order_by(HouseholdChange.sequence.desc()).limit(limit))
    return rows.all()


async def changes_since(
    session: AsyncSession, household_id: UUID, *, since: datetime
) -> Sequence[HouseholdChange]:
    """Changes of a household from an instant on, the newest first."""
    rows = await session.scalars(
        select(HouseholdChange)
        .where(HouseholdChange.household_id == household_id, HouseholdChange.at >= since)
        .order_by(HouseholdChange.sequence.desc())
    )
    return rows.all()


async def registered_at(session: AsyncSession, household_id: UUID) -> datetime | None:
    """When a household was registered; None: before changes were kept."""
    return await session.scalar(
        select(HouseholdChange.at)
        .where(
            HouseholdChange.household_id == household_id,
            HouseholdChange.member_id.is_(None),
            HouseholdChange.before.is_(None),
            HouseholdChange.kind.in_([ChangeKind.REGISTERED, ChangeKind.SPLIT]),
        )
        .order_by(HouseholdChange.sequence)
        .limit(1)
    )


async def earlier_persons(
    session: AsyncSession, household_id: UUID, sequences: Collection[int]
) -> dict[int, EarlierPerson]:
    """What was sealed of persons before these changes, by the change."""
    rows = await session.scalars(
        select(EarlierPerson).where(
            EarlierPerson.household_id == household_id, EarlierPerson.sequence.in_(sequences)
        )
    )
    return {row.sequence: row for row in rows.all()}


async def account_at(
    session: AsyncSession, household_id: UUID, instant: datetime
) -> PayeeAccount | None:
    """The account that a household had just before an instant."""
    return await session.scalar(
        select(PayeeAccount)
        .where(
            PayeeAccount.household_id == household_id,
            PayeeAccount.began_at < instant,
            (PayeeAccount.ended_at.is_(None)) | (PayeeAccount.ended_at >= instant),
        )
        .order_by(PayeeAccount.began_at.desc(), PayeeAccount.id.desc())
        .limit(1)
    )


async def members_of(session: AsyncSession, household_id: UUID) -> Sequence[Member]:
    """Everybody who is or was a member of a household, by number."""
    rows = await session.scalars(
        select(Member).where(Member.household_id == household_id).order_by(Member.member_number)
    )
    return rows.all()
