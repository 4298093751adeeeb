"""Where indicators are stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.areas import AreaLevel
from services.triggers.database import SCHEMA, Base
from shared.tables import enum_column


class Places(StrEnum):
    """Which places an indicator's figures may name."""

    LISTED = "listed"
    """Those of the list: whatever else is named is set aside until somebody says which is meant."""
    OPEN = "open"
    """Any: two spellings of a name are two places."""


class Indicator(Base):
    """A measured thing. What it is never changes: another unit or level is another indicator."""

    __tablename__ = "indicator"
    __table_args__ = (
        # Which kinds there are is known to the methods that judge them.
        CheckConstraint("kind ~ '^[a-z]+(_[a-z]+)*$'", name="kind"),
        # What an observation's foreign key refers to.
        UniqueConstraint("code", "forecast", name="indicator_forecast_unique"),
        Index(
            "indicator_judge_at_index",
            "judge_at",
            postgresql_where=text("judge_at IS NOT NULL"),
        ),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    area_level: Mapped[AreaLevel] = mapped_column(enum_column(AreaLevel, "area_level", SCHEMA))
    forecast: Mapped[bool] = mapped_column(
        Boolean, comment="Its observations may be published before the day they are about."
    )
    places: Mapped[Places] = mapped_column(
        enum_column(Places, "indicator_places", SCHEMA), server_default=text("'open'")
    )
    calendar: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="When a period of it is complete, and how long its figures are awaited."
    )
    # By the domain's clock.
    judge_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        comment="When its triggers are evaluated next; null: not until it has new figures.",
    )
    judged_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        comment="What is recorded from now on becomes known after this instant.",
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    posted_by: Mapped[str] = mapped_column(Text)
    failing_since: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        comment="Since when it, or a trigger that reads it, cannot be judged; null: it can.",
    )
