"""Appeals of households: what was asked, what was said about it, and what was decided."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class Appeal(Base):
    """That a household wants something decided anew about an activation."""

    __tablename__ = "appeal"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household.id"))
    scheme_code: Mapped[str] = mapped_column(Text)
    activation_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.activation.id"))
    about: Mapped[str] = mapped_column(Text)
    wants: Mapped[str] = mapped_column(Text)
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_on: Mapped[date] = mapped_column(Date)
    decision: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(Text)
    """Where what came of it is read."""

    __table_args__ = (
        CheckConstraint("decided_by <> opened_by", name="decided_by_another"),
        CheckConstraint(
            "num_nulls(decision, decided_by, decided_at) IN (0, 3)", name="decision_is_whole"
        ),
        Index(
            "appeal_open_unique",
            "household_id",
            "activation_id",
            unique=True,
            postgresql_where="decision IS NULL",
        ),
        Index("appeal_due_index", "due_on", "id", postgresql_where="decision IS NULL"),
        {"comment": "Appeals of households, each opened by one person and decided by another."},
    )


class AppealStep(Base):
    """One thing that was said about an appeal."""

    __tablename__ = "appeal_step"

    appeal_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.appeal.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    by: Mapped[str] = mapped_column(Text)
    words_en: Mapped[str] = mapped_column(Text)
    words_km: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("appeal_id", "number"),
        {"comment": "What was said about an appeal, by whom and when; only added to."},
    )
