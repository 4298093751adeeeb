"""Where evaluations are kept: append-only, with the numbers that decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.activations.tables import Activation
from services.triggers.database import SCHEMA, Base
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.methods.trigger_stage import TriggerStage
from shared.tables import enum_column


class Evaluation(Base):
    """One judgement of one trigger, caused by one event of recorded observations."""

    __tablename__ = "evaluation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trigger_code", "trigger_version"],
            ["triggers.trigger_definition.code", "triggers.trigger_definition.version"],
            name="evaluation_trigger_foreign_key",
        ),
        # An event that comes twice is evaluated once.
        UniqueConstraint("event_id", "trigger_code", "judged_on", name="evaluation_event_unique"),
        Index("evaluation_trigger_code_id_index", "trigger_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    trigger_code: Mapped[str] = mapped_column(Text)
    trigger_version: Mapped[int] = mapped_column(Integer)
    judged_on: Mapped[date] = mapped_column(Date)
    evaluated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    stage: Mapped[TriggerStage] = mapped_column(enum_column(TriggerStage, "trigger_stage", SCHEMA))
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome, "evaluation_outcome", SCHEMA))
    activation_id: Mapped[UUID | None] = mapped_column(ForeignKey(Activation.id))
    explanation: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
