"""Where backtests are kept, with what was asked and what came of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.backtests.states import BacktestState
from services.triggers.database import SCHEMA, Base
from shared.tables import enum_column


class Backtest(Base):
    """One trial of a trigger on history."""

    __tablename__ = "backtest"
    __table_args__ = (
        CheckConstraint("(state = 'finished') = (report IS NOT NULL)", name="finished_with_report"),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failed_with_reason"),
        Index("backtest_asked_at_index", "asked_at", "id"),
        Index(
            "backtest_waiting_index",
            "look_at",
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    trigger_code: Mapped[str] = mapped_column(Text)
    trigger_version: Mapped[int | None] = mapped_column(
        Integer, comment="Null: the document was not posted."
    )
    state: Mapped[BacktestState] = mapped_column(
        enum_column(BacktestState, "backtest_state", SCHEMA)
    )
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    asked: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="What was asked, with the trigger's document."
    )
    # By the machine's time. A worker that dies leaves it to another after that.
    look_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        server_default=text("clock_timestamp()"),
        comment="When a worker takes it; null: it is done.",
    )
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    steps_done: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    steps: Mapped[int] = mapped_column(
        Integer, comment="The definition itself, each value of its curve, and the money."
    )
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    failure: Mapped[str | None] = mapped_column(Text, comment="Why there is no report.")
