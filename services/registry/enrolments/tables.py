"""Households taken into an activation, and what they are owed, round by round."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.database import SCHEMA, Base
from services.registry.enrolments.states import EntitlementStatus
from services.registry.households.shape import ASKED_ABOUT, POVERTY_STATUS, PovertyStatus
from services.registry.households.tables import add_columns, type_of
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
    # Of what is older than this it is not known.
    poverty_status: Mapped[PovertyStatus | None] = mapped_column(type_of(POVERTY_STATUS.kind))

    __table_args__ = (
        # The household first: households of a commune lie together, and so do their keys.
        PrimaryKeyConstraint("household_id", "activation_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        {"comment": "Enrolled households, with the features that the amount was worked out from."},
    )


add_columns(Enrolment, ASKED_ABOUT)


class Reassessment(Base):
    """What an enrolled household was when a later round looked at it anew, and what it gets by it.

    Of one that is not eligible any more it is what it was enrolled with, and no case fits it.
    """

    __tablename__ = "reassessment"

    household_id: Mapped[UUID] = mapped_column(Uuid)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(SmallInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    benefit_case: Mapped[int | None] = mapped_column(SmallInteger)
    area_code: Mapped[str] = mapped_column(CODE)

    __table_args__ = (
        PrimaryKeyConstraint("household_id", "activation_id", "round"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        {"comment": "What enrolled households were when a later round looked at them anew."},
    )


add_columns(Reassessment, ASKED_ABOUT)


class FurtherEnrolment(Base):
    """Why a run enrols households that the activation's areas were enrolled without."""

    __tablename__ = "further_enrolment"

    run_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.enrolment_run.id"), primary_key=True
    )
    household_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    """Only these; null: everyone in its chunks' communes."""
    whatever_the_rule: Mapped[bool] = mapped_column(Boolean)
    known_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """Only who was registered, and did not change, after that: the second person saw those."""
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    approval_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))
    appeal_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.appeal.id"))

    __table_args__ = (
        CheckConstraint("num_nulls(approval_id, appeal_id) = 1", name="decided_by_two"),
        CheckConstraint(
            "NOT whatever_the_rule OR household_ids IS NOT NULL", name="by_hand_is_named"
        ),
        {"comment": "Runs that enrol late registrants, or households by hand: why."},
    )


class HouseholdExclusion(Base):
    """A household that an officer keeps out of a scheme, or of one activation of it."""

    __tablename__ = "exclusion"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household.id"))
    scheme_code: Mapped[str] = mapped_column(Text)
    activation_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.activation.id"))
    """Null: of every activation of the scheme."""
    reason: Mapped[str] = mapped_column(Text)
    excluded_by: Mapped[str] = mapped_column(Text)
    excluded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_because: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(
            "num_nulls(ended_at, ended_by, ended_because) IN (0, 3)", name="end_is_whole"
        ),
        Index(
            "exclusion_standing_unique",
            "household_id",
            "scheme_code",
            "activation_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
            postgresql_nulls_not_distinct=True,
        ),
        {"comment": "Households that an officer keeps out of a scheme, or of an activation."},
    )


class EnrolledBefore(Base):
    """Persons of a household were enrolled in an activation while they were of another household.

    It is not enrolled in that activation: nobody is paid twice for a split or a merger.
    """

    __tablename__ = "enrolled_before"

    household_id: Mapped[UUID] = mapped_column(Uuid)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    through: Mapped[UUID] = mapped_column(Uuid)
    """The household that was enrolled."""

    __table_args__ = (
        PrimaryKeyConstraint("household_id", "activation_id"),
        {"comment": "Activations in which persons of a household are enrolled through another."},
    )


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
        {
            # Each has its end some day: with room beside it, no index hears of that.
            "postgresql_with": {"fillfactor": 50},
            "comment": "Entitlements: at most one of a household for each activation and round.",
        },
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
