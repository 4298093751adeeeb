"""Where it is kept when a trigger was ready, and when it stood down."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base


class Readiness(Base):
    """A span in which a trigger reached readiness, or more."""

    __tablename__ = "readiness"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trigger_code", "trigger_version"],
            ["triggers.trigger_definition.code", "triggers.trigger_definition.version"],
            name="readiness_trigger_foreign_key",
        ),
        CheckConstraint("stood_down_on >= readied_on", name="in_order"),
        Index("readiness_trigger_code_index", "trigger_code", "readied_on"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    trigger_code: Mapped[str] = mapped_column(Text)
    trigger_version: Mapped[int] = mapped_column(Integer)
    readied_on: Mapped[date] = mapped_column(
        Date, comment="The day by whose figures it became ready."
    )
    stood_down_on: Mapped[date | None] = mapped_column(
        Date, comment="The day by whose figures it was below readiness; null: it is ready."
    )
    areas: Mapped[list[str]] = mapped_column(ARRAY(Text))
    noted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
