"""Resolutions: what two persons decide about payments, and what became of each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    PrimaryKeyConstraint,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.instructions.states import Status
from services.payments.resolutions.states import Outcome, Result
from shared.tables import enum_column


class Resolution(Base):
    """One decision about a set of payments; its proposal is the approval with its id."""

    __tablename__ = "resolution"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome, "resolution_outcome", SCHEMA))
    paid_minor: Mapped[int | None] = mapped_column(BigInteger)
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("paid_minor > 0", name="paid_is_positive"),
        CheckConstraint(
            "paid_minor IS NULL OR outcome = 'settled'", name="paid_belongs_to_settled"
        ),
        Index(
            "resolution_to_carry_out_index",
            "approved_at",
            postgresql_where=text("approved_at IS NOT NULL AND finished_at IS NULL"),
        ),
        {"comment": "What two persons decided about payments, carried out in sets."},
    )


class ResolutionItem(Base):
    """One payment of a resolution: 700,000 rows where a country is resolved."""

    __tablename__ = "resolution_item"

    resolution_id: Mapped[UUID] = mapped_column(Uuid)
    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    from_status: Mapped[Status] = mapped_column(enum_column(Status, "instruction_status", SCHEMA))
    result: Mapped[Result | None] = mapped_column(enum_column(Result, "resolution_result", SCHEMA))
    detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("resolution_id", "instruction_id"),
        Index(
            "resolution_item_open_index",
            "resolution_id",
            "instruction_id",
            postgresql_where=text("result IS NULL"),
        ),
        {"comment": "The payments of a resolution, and what became of each."},
    )
