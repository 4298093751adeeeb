"""Where doubtful figures wait, recorded or not: no method reads them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import SCHEMA, Base
from services.triggers.indicators.tables import Indicator
from services.triggers.quality.doubt import DoubtReason
from shared.tables import enum_column


class DoubtDecision(StrEnum):
    """What a person decided about a doubtful figure."""

    RELEASED = "released"
    REJECTED = "rejected"


class DoubtfulObservation(Base):
    """One row as it was posted, why it is doubtful, and what a person decided."""

    __tablename__ = "doubtful_observation"
    __table_args__ = (
        # The same row sent again is the same doubt, however it was decided.
        UniqueConstraint("indicator_code", "digest", name="doubtful_observation_row_unique"),
        UniqueConstraint("sequence", name="doubtful_observation_sequence_unique"),
        CheckConstraint("(digest IS NULL) <> (sequence IS NULL)", name="row"),
        CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL) "
            "AND (decision IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        CheckConstraint("decision <> 'released' OR decided_by <> posted_by", name="second_person"),
        Index(
            "doubtful_observation_waiting_index",
            "indicator_code",
            "id",
            postgresql_where=text("decision IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    indicator_code: Mapped[str] = mapped_column(ForeignKey(Indicator.code))
    digest: Mapped[bytes | None] = mapped_column(
        LargeBinary,
        comment="Of a row that was not recorded: SHA-256 of it as posted.",
    )
    sequence: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("triggers.observation.sequence"),
        comment="Of a row that was recorded: which; it does not count.",
    )
    posted: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The row as it was posted.")
    observed_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[DoubtReason] = mapped_column(enum_column(DoubtReason, "doubt_reason", SCHEMA))
    says: Mapped[str] = mapped_column(Text)
    suggested_place: Mapped[str | None] = mapped_column(Text)
    set_aside_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True),
        comment="Of a row that was recorded: from which instant of knowledge on it is doubtful.",
    )
    posted_by: Mapped[str] = mapped_column(Text)
    published: Mapped[bool] = mapped_column(Boolean, comment="A publisher's own client posted it.")
    approved_by: Mapped[str | None] = mapped_column(
        Text, comment="The second person of a batch that was posted by hand."
    )
    decision: Mapped[DoubtDecision | None] = mapped_column(
        enum_column(DoubtDecision, "doubt_decision", SCHEMA)
    )
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision_reason: Mapped[str | None] = mapped_column(Text)
