"""Where evaluations are kept, with the numbers that decided; and where telling goes on from."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.activations.tables import Activation
from services.triggers.database import SCHEMA, Base
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.methods.trigger_stage import TriggerStage
from shared.tables import enum_column


class Evaluation(Base):
    """One judgement of one leg of a trigger, by what was known at an instant."""

    __tablename__ = "evaluation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trigger_code", "trigger_version"],
            ["triggers.trigger_definition.code", "triggers.trigger_definition.version"],
            name="evaluation_trigger_foreign_key",
        ),
        # Of judgements before knowledge had a time.
        UniqueConstraint("event_id", "trigger_code", "judged_on", name="evaluation_event_unique"),
        Index("evaluation_trigger_code_id_index", "trigger_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    event_id: Mapped[UUID | None] = mapped_column(
        Uuid, comment="What caused it, before knowledge had a time; null since."
    )
    trigger_code: Mapped[str] = mapped_column(Text)
    trigger_version: Mapped[int] = mapped_column(Integer)
    leg: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="From 0, as in the document."
    )
    judged_from: Mapped[date | None] = mapped_column(
        Date, comment="The first day of the period judged; null: not kept."
    )
    judged_on: Mapped[date] = mapped_column(Date, comment="The last day of the period judged.")
    decided_on: Mapped[date | None] = mapped_column(
        Date, comment="The day by whose figures it was judged; null: not kept."
    )
    known_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        comment="Every figure recorded until then was known; null: not kept.",
    )
    digest: Mapped[str | None] = mapped_column(
        Text, comment="SHA-256 of the period, the numbers used and what was found."
    )
    evaluated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    stage: Mapped[TriggerStage] = mapped_column(enum_column(TriggerStage, "trigger_stage", SCHEMA))
    leg_stage: Mapped[TriggerStage | None] = mapped_column(
        enum_column(TriggerStage, "trigger_stage", SCHEMA), comment="The leg's own."
    )
    unjudged: Mapped[str | None] = mapped_column(Text, comment="Why it could not be judged.")
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome, "evaluation_outcome", SCHEMA))
    activation_id: Mapped[UUID | None] = mapped_column(ForeignKey(Activation.id))
    explanation: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)


class TriggerStanding(Base):
    """How a trigger stood at the end of a day, from which its history is told on.

    It follows from what was known, and can be deleted at any time: then all is told again.
    """

    __tablename__ = "trigger_standing"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trigger_code", "trigger_version"],
            ["triggers.trigger_definition.code", "triggers.trigger_definition.version"],
            name="trigger_standing_trigger_foreign_key",
        ),
    )

    trigger_code: Mapped[str] = mapped_column(Text, primary_key=True)
    trigger_version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    told_to: Mapped[date] = mapped_column(
        Date, primary_key=True, comment="The day at the end of which it stood so."
    )
    known_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True),
        comment="By what was known until then; what became known later is held against told_to.",
    )
    told_by: Mapped[str] = mapped_column(
        Text, comment="The product's version: another tells the history from its beginning."
    )
    standing: Mapped[dict[str, Any]] = mapped_column(JSONB)
