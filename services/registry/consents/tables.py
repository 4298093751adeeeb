"""What households agree to."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from shared.tables import enum_column


class ConsentGiver(StrEnum):
    """Who agreed, for all of a household."""

    HEAD = "head"
    SPOUSE = "spouse"
    OTHER_ADULT = "other-adult"
    GUARDIAN = "guardian"


class Consent(Base):
    """What a household agreed to have done with its data. It is withdrawn, never changed."""

    __tablename__ = "household_consent"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household.id"))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    given_on: Mapped[date] = mapped_column(Date)
    withdrawn_on: Mapped[date | None] = mapped_column(Date)
    given_by: Mapped[ConsentGiver] = mapped_column(
        enum_column(ConsentGiver, "consent_giver", SCHEMA)
    )
    purpose: Mapped[str] = mapped_column(Text)
    document: Mapped[str | None] = mapped_column(Text)
    recorded_by: Mapped[str] = mapped_column(Text)
    withdrawn_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("purpose ~ '^[a-z][a-z0-9-]{1,39}$'", name="purpose_plain"),
        CheckConstraint("withdrawn_on >= given_on", name="withdrawn_after_it_was_given"),
        CheckConstraint(
            "num_nulls(withdrawn_on, withdrawn_at, withdrawn_by) IN (0, 3)",
            name="withdrawn_is_whole",
        ),
        Index(
            "household_consent_standing_unique",
            "household_id",
            "purpose",
            unique=True,
            postgresql_where="withdrawn_on IS NULL",
        ),
        Index(None, "household_id", "purpose"),
        {"comment": "What households agreed to, by whom and when, until it is withdrawn."},
    )
