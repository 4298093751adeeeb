"""Households taken into an activation, and what they are owed, round by round."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.database import SCHEMA, Base
from services.registry.enrolments.states import EntitlementStatus
from services.registry.households.shape import COUNTED
from services.registry.households.tables import add_columns
from shared.tables import enum_column


class Enrolment(Base):
    """A household in an activation: what it was like then, and what it gets in each round.

    Without foreign keys, as is ``entitlement``: only one set-based statement writes these tables,
    from the very rows that a key would look up again one by one, and no role may delete those.
    """

    __tablename__ = "enrolment"

    household_id: Mapped[UUID] = mapped_column(Uuid)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    benefit_case: Mapped[int] = mapped_column(SmallInteger)
    area_code: Mapped[str] = mapped_column(CODE)

    __table_args__ = (
        # The household first: households of a commune lie together, and so do their keys.
        PrimaryKeyConstraint("household_id", "activation_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        {"comment": "Enrolled households, with the features that the amount was worked out from."},
    )


add_columns(Enrolment, COUNTED)


class Entitlement(Base):
    """What one household is owed in one round: an amount frozen when the round was worked out.

    ``payee_account_id`` is the account as it was then; it stays, whatever account comes later.
    So does ``chunk_id``, its home. With an account it was announced there, for the first time;
    see ``announcement`` for what followed.
    """

    __tablename__ = "entitlement"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    chunk_id: Mapped[UUID] = mapped_column(Uuid)
    payee_account_id: Mapped[UUID | None] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    round: Mapped[int] = mapped_column(SmallInteger)
    area_code: Mapped[str] = mapped_column(CODE)
    status: Mapped[EntitlementStatus] = mapped_column(
        enum_column(EntitlementStatus, "entitlement_status", SCHEMA)
    )
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index(
            "entitlement_household_activation_round_unique",
            "household_id",
            "activation_id",
            "round",
            unique=True,
        ),
        Index(None, "chunk_id"),
        {"comment": "Entitlements: at most one of a household for each activation and round."},
    )


class Announcement(Base):
    """One time that an entitlement was announced to payments, and what came of it.

    Kept of those alone that were announced more than once: of all others the entitlement says it.
    By whom and why is with the repair, whose run the chunk is of. Without foreign keys, as the
    entitlements, and for the same reason.
    """

    __tablename__ = "announcement"

    entitlement_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(SmallInteger)
    chunk_id: Mapped[UUID] = mapped_column(Uuid)
    payee_account_id: Mapped[UUID] = mapped_column(Uuid)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[EntitlementStatus] = mapped_column(
        enum_column(EntitlementStatus, "entitlement_status", SCHEMA)
    )
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("entitlement_id", "number"),
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        # What is on its way or has arrived is never announced beside.
        Index(
            "announcement_standing_unique",
            "entitlement_id",
            unique=True,
            postgresql_where="status IN ('ready', 'paid')",
        ),
        Index(None, "chunk_id"),
        {"comment": "Announcements of entitlements that were announced again, the first included."},
    )
