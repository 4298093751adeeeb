"""Households and the accounts that they are paid to. Persons are sealed, and found by index."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from services.registry.areas.tables import CODE
from services.registry.database import SCHEMA, Base
from services.registry.households.fields import (
    BlindIndex,
    Choice,
    Commune,
    Count,
    Day,
    Field,
    Kept,
    Kind,
    Village,
    YesNo,
)
from services.registry.households.shape import (
    CATEGORIES,
    FOUND,
    MEMBERS,
    OPEN,
    POVERTY_STATUS,
    PovertyStatus,
)
from shared.events.tables import TransactionId
from shared.schema.declaration import comes_with
from shared.tables import enum_column


def type_of(kind: Kind) -> TypeEngine[Any]:
    """What a kind of field is stored as."""
    match kind:
        case Count():
            return SmallInteger()
        case Choice(choices, name):
            return enum_column(choices, name, SCHEMA)
        case Commune() | Village():
            return CODE
        case Day():
            return Date()
        case YesNo():
            return Boolean()
        case _:
            return Text()


def add_columns(table: type[DeclarativeBase], fields: tuple[Field, ...]) -> None:
    """Give a table a column for each field that it does not spell itself."""
    for field in fields:
        if not hasattr(table, field.name):
            setattr(table, field.name, mapped_column(type_of(field.kind), nullable=field.optional))


def _counted(field: Field) -> str:
    assert isinstance(field.kind, Count)
    return f"{field.name} BETWEEN {field.kind.least} AND {field.kind.within or field.kind.most}"


class Archiving(StrEnum):
    """Why a household is none any more that could be enrolled."""

    MOVED_AWAY = "moved-away"
    DIED = "died"
    """Nobody of it is alive."""
    MERGED = "merged"
    """It is part of another household."""
    DUPLICATE = "duplicate"
    ERROR = "error"
    """It never was one."""
    AT_ITS_WISH = "at-its-wish"


class Household(Base):
    """A registered household: its open fields, what is sealed of its head, how that is found."""

    __tablename__ = "household"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    area_code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"))
    village_code: Mapped[str | None] = mapped_column(CODE, ForeignKey("registry.area.code"))
    poverty_status: Mapped[PovertyStatus] = mapped_column(type_of(POVERTY_STATUS.kind))
    person_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    content_index: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Since when it is none that could be enrolled; it stays, and what it was owed is explained."""
    archived_because: Mapped[Archiving | None] = mapped_column(
        enum_column(Archiving, "household_archiving", SCHEMA)
    )
    merged_into: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.household.id"))
    split_from: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.household.id"))
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Since when nobody knows who they were."""
    name_tokens: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), deferred=True)
    """Keyed hashes that the head is found by, by name; none: not yet."""
    changed_in: Mapped[int] = mapped_column(
        TransactionId(), server_default=text("pg_current_xact_id()")
    )
    """The transaction that stored it last or a member of it, or gave it its account: triggers say
    it."""
    members_listed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether its members are rows: its counts are then those of the day that they were listed,
    and nobody pays by them."""
    registered_in: Mapped[int | None] = mapped_column(
        TransactionId(), server_default=text("pg_current_xact_id()")
    )
    """The transaction that added it: whoever reads the event log tells new from changed by it."""

    __table_args__ = (
        CheckConstraint(_counted(MEMBERS), name="members_counted"),
        CheckConstraint(
            " AND ".join(_counted(field) for field in CATEGORIES), name="features_within_members"
        ),
        CheckConstraint("length(area_code) = 6", name="area_is_commune"),
        CheckConstraint(
            "length(village_code) = 8 AND left(village_code, 6) = area_code",
            name="village_in_commune",
        ),
        CheckConstraint(
            "(archived_at IS NULL) = (archived_because IS NULL)", name="archived_for_a_reason"
        ),
        CheckConstraint(
            "(merged_into IS NOT NULL) = coalesce(archived_because = 'merged', false)",
            name="merged_into_another",
        ),
        CheckConstraint("merged_into <> id", name="merged_not_into_itself"),
        CheckConstraint(
            "erased_at IS NULL OR archived_at IS NOT NULL", name="erased_once_archived"
        ),
        Index(None, "area_code", "id"),
        # What changed in an area is found commune by commune.
        Index(None, "area_code", "changed_in", "id"),
        Index("household_archived_index", "id", postgresql_where="archived_at IS NOT NULL"),
        Index(None, "changed_in", "id"),
        Index(None, "name_tokens", postgresql_using="gin"),
        {
            "comment": "Registered households; content_index tells whether an import changes one.",
        },
    )


comes_with(
    Household.__table__,
    """
CREATE FUNCTION registry.mark_household_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed_in := pg_current_xact_id();
            RETURN NEW;
        END
        $$
""",
    """
    CREATE TRIGGER household_changed BEFORE UPDATE ON registry.household
    FOR EACH ROW EXECUTE FUNCTION registry.mark_household_changed()
    """,
)


def _find_by(index: BlindIndex, *, optional: bool) -> None:
    column = mapped_column(LargeBinary, nullable=optional)
    setattr(Household, index.column, column)
    where = f"{index.column} IS NOT NULL" if optional else None
    Index(None, getattr(Household, index.column), unique=index.unique, postgresql_where=where)


add_columns(Household, OPEN)
for found in FOUND:
    if found.found_by is not None and found.kept is Kept.SEALED:
        _find_by(found.found_by, optional=found.optional)


class PayeeAccount(Base):
    """Where a household is paid. A row is never altered, only ended; entitlements refer to it."""

    __tablename__ = "payee_account"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household.id"))
    provider_code: Mapped[str] = mapped_column(Text)
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    account_index: Mapped[bytes] = mapped_column(LargeBinary)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Who gave it, alone or with a second person; of what is older than this, nobody says it.
    changed_by: Mapped[str | None] = mapped_column(Text)
    changed_alone: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether one person changed the account of a known household: they may do so often a day."""
    approval_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))

    __table_args__ = (
        CheckConstraint(
            "NOT changed_alone OR approval_id IS NULL AND changed_by IS NOT NULL",
            name="alone_or_approved",
        ),
        Index(
            "payee_account_changed_alone_index",
            "changed_by",
            "began_at",
            postgresql_where="changed_alone",
        ),
        CheckConstraint("provider_code ~ '^[a-z0-9-]{2,32}$'", name="provider_code_plain"),
        CheckConstraint("ended_at >= began_at", name="ends_after_it_began"),
        Index(
            "payee_account_active_unique",
            "household_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index(None, "account_index"),
        {"comment": "Payee accounts, sealed; at most one of a household has not ended."},
    )
