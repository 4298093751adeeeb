"""Every change of a household and of its members: what it was before, and what it became."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.changes.keeping import (
    HOUSEHOLD_FUNCTION,
    HOUSEHOLD_TRIGGERS,
    MEMBER_FUNCTION,
    MEMBER_TRIGGERS,
)
from services.registry.database import SCHEMA, Base
from services.registry.households.tables import Household
from services.registry.members.tables import Member
from shared.schema.declaration import comes_with
from shared.tables import enum_column


class ChangeKind(StrEnum):
    """What a change was."""

    REGISTERED = "registered"
    CORRECTED = "corrected"
    """By a person: what the registry said was wrong, or is not so any more."""
    IMPORTED = "imported"
    ACCOUNT = "account"
    """It is paid elsewhere; from what to what stands with its accounts."""
    MOVED = "moved"
    SPLIT = "split"
    MERGED = "merged"
    MEMBER_JOINED = "member-joined"
    MEMBER_LEFT = "member-left"
    MEMBER_DIED = "member-died"
    ARCHIVED = "archived"
    RESTORED = "restored"
    ERASED = "erased"
    AREA_CHANGED = "area-changed"
    """An edition of the gazetteer gave the place another code."""


class HouseholdChange(Base):
    """One change of one household, or of one member of it. The service's role only adds.

    ``before`` and ``after`` hold the open fields that changed, a null where the other alone names
    the field; ``before`` says besides when the row had changed before. By them a household is
    played back to any instant. Without foreign keys, as ``enrolment``: the tables' own triggers
    write it, from the very rows.
    """

    __tablename__ = "household_change"

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    household_id: Mapped[UUID] = mapped_column(Uuid)
    member_id: Mapped[UUID | None] = mapped_column(Uuid)
    """None: it is the household's."""
    import_id: Mapped[UUID | None] = mapped_column(Uuid)
    approval_id: Mapped[UUID | None] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[ChangeKind] = mapped_column(
        enum_column(ChangeKind, "household_change_kind", SCHEMA)
    )
    by: Mapped[str] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    """What it follows from: a document, an edition; of an import the import says it."""
    reason: Mapped[str | None] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        PrimaryKeyConstraint("household_id", "sequence"),
        {"comment": "Every change of a household or a member, with what it was before."},
    )


class EarlierPerson(Base):
    """What was sealed of a person before a change, bound to the household or the member."""

    __tablename__ = "earlier_person"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    household_id: Mapped[UUID] = mapped_column(Uuid)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    sequence: Mapped[int] = mapped_column(BigInteger)
    """Of the change that it was before."""
    person_sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index(None, "household_id", "sequence"),
        {"comment": "Persons as they were sealed before a change; overwritten by an erasure."},
    )


def _after(table: Any, *others: Any) -> Table:
    assert isinstance(table, Table)
    for other in others:
        table.add_is_dependent_on(other)
    return table


_changes = _after(HouseholdChange.__table__, Household.__table__, Member.__table__)
_earlier = _after(EarlierPerson.__table__, _changes)
comes_with(
    _earlier,
    HOUSEHOLD_FUNCTION,
    *HOUSEHOLD_TRIGGERS,
    MEMBER_FUNCTION,
    *MEMBER_TRIGGERS,
)
