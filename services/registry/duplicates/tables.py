"""Pairs of households that may be one, what they have in common, and what persons decided."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from services.registry.duplicates.states import HOLDS_FROM, Decision, Step
from shared.events.tables import TransactionId
from shared.tables import enum_column


class DuplicateSuspect(Base):
    """Two households of which a person, or both whole, may be the same.

    The first is the one that was known before the other. ``holds``: while it is so, the two are
    not both paid in one scheme.
    """

    __tablename__ = "duplicate_suspect"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    first_household_id: Mapped[UUID] = mapped_column(Uuid)
    second_household_id: Mapped[UUID] = mapped_column(Uuid)
    first_member_id: Mapped[UUID | None] = mapped_column(Uuid)
    """None: the head of the household, of whom no row of members is known."""
    second_member_id: Mapped[UUID | None] = mapped_column(Uuid)
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """What spoke for it was corrected since, and nothing does any more."""
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    exact_score: Mapped[int] = mapped_column(SmallInteger)
    likeness_score: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[int] = mapped_column(
        SmallInteger, Computed("greatest(exact_score, likeness_score)", persisted=True)
    )
    is_whole: Mapped[bool] = mapped_column(Boolean)
    """Whether it is about a head, or several members: not one member alone."""
    exact_grounds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    likeness_grounds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    decision: Mapped[Decision | None] = mapped_column(
        enum_column(Decision, "duplicate_decision_kind", SCHEMA)
    )
    decided_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    merger_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))
    """The proposal to merge the two that was asked for last, however it stands."""
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Since when the two are one household."""
    passed_to: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("registry.duplicate_suspect.id")
    )
    """One of the two is part of another household now: what is decided of that one and the other,
    is decided of this. It keeps holding what was owed before."""
    holds: Mapped[bool] = mapped_column(
        Boolean,
        Computed(
            f"greatest(exact_score, likeness_score) >= {HOLDS_FROM} AND is_whole "
            "AND withdrawn_at IS NULL AND (decision IS NULL "
            "OR decision = 'merge'::registry.duplicate_decision_kind)",
            persisted=True,
        ),
    )

    __table_args__ = (
        CheckConstraint("first_household_id <> second_household_id", name="two_households"),
        CheckConstraint(
            "exact_score BETWEEN 0 AND 1000 AND likeness_score BETWEEN 0 AND 1000",
            name="scores_in_thousandths",
        ),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (reason IS NULL) "
            "AND (decision IS NULL) = (decided_by IS NULL)",
            name="decided_by_somebody",
        ),
        CheckConstraint(
            "settled_at IS NULL OR decision = 'merge'::registry.duplicate_decision_kind",
            name="settled_by_a_merger",
        ),
        Index(None, "first_household_id"),
        Index(None, "second_household_id"),
        Index(None, "merger_id", postgresql_where="merger_id IS NOT NULL"),
        Index(None, "passed_to", postgresql_where="passed_to IS NOT NULL"),
        Index(None, "score", "id"),
        Index(
            "duplicate_suspect_first_holding_index", "first_household_id", postgresql_where="holds"
        ),
        Index(
            "duplicate_suspect_second_holding_index",
            "second_household_id",
            postgresql_where="holds",
        ),
        {"comment": "Pairs of households that may be one, each once, whichever came first."},
    )


class DuplicateDecision(Base):
    """What was decided of a suspicion, or undone: who, when and why. Rows are only added."""

    __tablename__ = "duplicate_decision"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    suspect_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.duplicate_suspect.id"))
    step: Mapped[Step] = mapped_column(enum_column(Step, "duplicate_step", SCHEMA))
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    approval_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))

    __table_args__ = (
        Index(None, "suspect_id", "id"),
        {"comment": "Decisions about suspected duplicates, and their undoing."},
    )


class DuplicateLook(Base):
    """Up to where households were looked at: each kind of look has one row."""

    __tablename__ = "duplicate_look"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_before: Mapped[int] = mapped_column(TransactionId())
    """Whatever a transaction with a number below this one stored was seen."""
    looked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = ({"comment": "Up to where households were compared with all others."},)
