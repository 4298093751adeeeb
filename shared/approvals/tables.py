"""Where proposals are stored: what is to be done, who proposed it and why, who decided and why."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from shared.tables import enum_column


class Decision(StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"


class Approval:
    """One step that needs two persons; a service's table derives from it and adds its ``kind``."""

    kind: Mapped[Any]

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # In words, for whoever decides; and in full, for the program.
    what: Mapped[str] = mapped_column(Text)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # What it would do, where that is known.
    households: Mapped[int | None] = mapped_column(Integer)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)
    # Who posted what it follows from: a rule, a threshold, a figure. They do not approve it either.
    evidence_by: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision_reason: Mapped[str | None] = mapped_column(Text)
    # Where what came of it is read, such as /v1/schemes/flood-2022/versions/1.
    outcome: Mapped[str | None] = mapped_column(Text)

    @declared_attr
    def decision(cls) -> Mapped[Decision | None]:
        schema = cls.metadata.schema  # type: ignore[attr-defined] # of the table that derives
        return mapped_column(enum_column(Decision, "approval_decision", schema), nullable=True)

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        return (
            CheckConstraint(
                "decision IS DISTINCT FROM 'approved' OR decided_by <> proposed_by",
                name="checker_is_not_the_maker",
            ),
            CheckConstraint(
                "decision IS DISTINCT FROM 'approved' OR decided_by <> ALL (evidence_by)",
                name="checker_is_not_in_the_evidence",
            ),
            CheckConstraint(
                "num_nulls(decision, decided_by, decided_at, decision_reason) IN (0, 4)",
                name="decision_is_whole",
            ),
            CheckConstraint(
                "num_nulls(amount_minor, currency) IN (0, 2)", name="amount_has_a_currency"
            ),
            Index("approval_waiting_index", "id", postgresql_where=text("decision IS NULL")),
            {"comment": "Steps that need two persons: proposed by the first, decided by another."},
        )
