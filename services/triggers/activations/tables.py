"""Where activations are stored, with their areas and what happened to them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.activations.states import Origin, State
from services.triggers.approvals.tables import Approval
from services.triggers.database import SCHEMA, Base
from services.triggers.methods.severity import Severity
from shared.tables import enum_column

activation_state = enum_column(State, "activation_state", SCHEMA)


class Activation(Base):
    """A trigger happening, or an official declaring it."""

    __tablename__ = "activation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trigger_code", "trigger_version"],
            ["triggers.trigger_definition.code", "triggers.trigger_definition.version"],
            name="activation_trigger_foreign_key",
        ),
        CheckConstraint("evidence_from <= evidence_to", name="evidence"),
        # Two evaluations at once, or an evaluation and a declaration: only one of them opens.
        Index(
            "activation_one_live_for_each_trigger_unique",
            "trigger_code",
            unique=True,
            postgresql_where=text("state IN ('proposed', 'open')"),
        ),
        Index("activation_trigger_code_evidence_to_index", "trigger_code", "evidence_to"),
        Index(
            "activation_weighing_index",
            "weigh_at",
            postgresql_where=text("weigh_at IS NOT NULL"),
        ),
        Index(
            "activation_live_approval_index",
            "approval_id",
            postgresql_where=text("state IN ('proposed', 'open')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    trigger_code: Mapped[str] = mapped_column(Text)
    trigger_version: Mapped[int] = mapped_column(Integer)
    scheme: Mapped[str] = mapped_column(Text)
    shock: Mapped[str] = mapped_column(Text)
    area_filter: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[Severity] = mapped_column(enum_column(Severity, "severity", SCHEMA))
    origin: Mapped[Origin] = mapped_column(enum_column(Origin, "activation_origin", SCHEMA))
    state: Mapped[State] = mapped_column(activation_state)
    reason: Mapped[str] = mapped_column(Text)
    evidence_from: Mapped[date] = mapped_column(Date)
    evidence_to: Mapped[date] = mapped_column(Date)
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    proposed_by: Mapped[str] = mapped_column(Text)
    opened_on: Mapped[date | None] = mapped_column(Date)
    approval_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(Approval.id), comment="The latest proposal to open or to widen it."
    )
    # By the machine's time. What it would pay is asked over HTTP, and so in no transaction.
    weigh_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        server_default=text("clock_timestamp()"),
        comment="When it is held against its ceiling; null: not until more evidence comes.",
    )
    weighing_since: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Since when the registry is asked in vain."
    )
    judge_again_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        comment="By which instant its trigger is judged again once it is weighed; null: nothing "
        "waits for it.",
    )
    doubt: Mapped[str | None] = mapped_column(
        Text, comment="Why what became known later would not have let it begin."
    )
    # In the scheme's currency, as last announced.
    ceiling_households: Mapped[int | None] = mapped_column(Integer)
    ceiling_minor: Mapped[int | None] = mapped_column(BigInteger)


class ActivationArea(Base):
    """An area of an activation. Areas are added and never taken away.

    One that was not announced waits, or a person declined it. One in which nobody can be enrolled
    may be refused, so that it does not look forgotten.
    """

    __tablename__ = "activation_area"
    __table_args__ = (
        CheckConstraint("(refused_at IS NULL) = (refused_by IS NULL)", name="refused_by_someone"),
        CheckConstraint(
            "(declined_at IS NULL) = (declined_by IS NULL)", name="declined_by_someone"
        ),
        CheckConstraint(
            "announced_at IS NULL OR declined_at IS NULL", name="declined_is_not_announced"
        ),
    )

    activation_id: Mapped[UUID] = mapped_column(ForeignKey(Activation.id), primary_key=True)
    area_code: Mapped[str] = mapped_column(Text, primary_key=True)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    added_by: Mapped[str] = mapped_column(Text)
    announced_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True),
        server_default=text("now()"),
        comment="When the registry was told to enrol there; null: it waits, or was declined.",
    )
    declined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    declined_by: Mapped[str | None] = mapped_column(Text)
    refused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refused_by: Mapped[str | None] = mapped_column(Text)
    filtered: Mapped[bool | None] = mapped_column(
        Boolean,
        comment="Whether the filter takes no commune of it; null: nobody said.",
    )


class ActivationMove(Base):
    """A move from one state to the next: who, when and why."""

    __tablename__ = "activation_move"
    __table_args__ = (Index("activation_move_activation_id_index", "activation_id"),)

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    activation_id: Mapped[UUID] = mapped_column(ForeignKey(Activation.id))
    from_state: Mapped[State | None] = mapped_column(activation_state, comment="Null: it began.")
    to_state: Mapped[State] = mapped_column(activation_state)
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    moved_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
