"""Sweeps: asking providers about payments that have their end here, and what came of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from shared.tables import enum_column


class Finding(StrEnum):
    AGREES = "agrees"
    DIFFERS = "differs"
    UNANSWERED = "unanswered"


class Sweep(Base):
    """One comparison with the providers' books, of all such payments or of a sample."""

    __tablename__ = "sweep"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    activation_id: Mapped[UUID | None] = mapped_column(Uuid)
    provider: Mapped[str | None] = mapped_column(Text)
    settled: Mapped[bool] = mapped_column(Boolean)
    rejected: Mapped[bool] = mapped_column(Boolean)
    # How many were drawn at most; none: all of them.
    sample: Mapped[int | None] = mapped_column(Integer)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("settled OR rejected", name="is_about_an_end"),
        Index(
            "sweep_unfinished_index", "requested_at", postgresql_where=text("finished_at IS NULL")
        ),
        {"comment": "Payments that have their end here, compared with the providers' books."},
    )


class SweepItem(Base):
    """One payment of a sweep."""

    __tablename__ = "sweep_item"

    sweep_id: Mapped[UUID] = mapped_column(Uuid)
    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    # How often the provider was asked, and (technical time) when it may be asked next.
    asked: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    ask_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    finding: Mapped[Finding | None] = mapped_column(enum_column(Finding, "sweep_finding", SCHEMA))
    detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("sweep_id", "instruction_id"),
        Index(
            "sweep_item_open_index",
            "provider_number",
            "ask_at",
            postgresql_where=text("finding IS NULL"),
        ),
        {"comment": "The payments of a sweep, and what their provider says of each."},
    )
