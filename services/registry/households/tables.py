"""Households and the accounts that they are paid to. Persons are sealed, and found by index."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE, one_of
from services.registry.database import Base

FEATURES = ("children_0_5", "pregnant", "disabled", "elderly_60")
"""The features of a household that benefits add to: each counts members."""

MAXIMUM_MEMBERS = 60


class PovertyStatus(StrEnum):
    """What IDPoor says of a household."""

    POOR_1 = "poor-1"
    POOR_2 = "poor-2"
    AT_RISK = "at-risk"
    NOT_POOR = "not-poor"


class Household(Base):
    """A registered household. ``person_sealed`` holds the head's name, phone and numbers."""

    __tablename__ = "household"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    area_code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"))
    poverty_status: Mapped[PovertyStatus] = mapped_column(Text)
    members: Mapped[int] = mapped_column(SmallInteger)
    children_0_5: Mapped[int] = mapped_column(SmallInteger)
    pregnant: Mapped[int] = mapped_column(SmallInteger)
    disabled: Mapped[int] = mapped_column(SmallInteger)
    elderly_60: Mapped[int] = mapped_column(SmallInteger)
    person_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    registration_index: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    content_index: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(one_of("poverty_status", PovertyStatus), name="poverty_status_known"),
        CheckConstraint(f"members BETWEEN 1 AND {MAXIMUM_MEMBERS}", name="members_counted"),
        CheckConstraint(
            "children_0_5 BETWEEN 0 AND members AND pregnant BETWEEN 0 AND members "
            "AND disabled BETWEEN 0 AND members AND elderly_60 BETWEEN 0 AND members",
            name="features_within_members",
        ),
        CheckConstraint("length(area_code) = 6", name="area_is_commune"),
        Index(None, "registration_index", unique=True),
        Index(None, "area_code", "id"),
        Index(None, "phone_index", postgresql_where="phone_index IS NOT NULL"),
        Index(None, "id_number_index", postgresql_where="id_number_index IS NOT NULL"),
        {
            "comment": "Registered households; content_index tells whether an import changes one.",
        },
    )


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

    __table_args__ = (
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
