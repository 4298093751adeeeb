"""Where trigger definitions are stored: a version is added, never edited."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base
from services.triggers.indicators.tables import Indicator


class TriggerDefinition(Base):
    """One version of one trigger; the highest version is the one in force."""

    __tablename__ = "trigger_definition"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        Index("trigger_definition_indicator_code_index", "indicator_code"),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    indicator_code: Mapped[str] = mapped_column(Text, ForeignKey(Indicator.code))
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[str] = mapped_column(Text)
