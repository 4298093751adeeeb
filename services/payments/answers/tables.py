"""Answers as they were heard: stored before they are applied."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, SmallInteger, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.providers.answers import AnswerKind
from shared.tables import enum_column


class StoredAnswer(Base):
    """One answer of a provider about one instruction: codes, amounts and ids, nothing personal."""

    __tablename__ = "answer"

    # In the order in which they were heard.
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    our_reference: Mapped[UUID | None] = mapped_column(Uuid)
    server_correlation_id: Mapped[UUID | None] = mapped_column(Uuid)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    # Technical time, all three: heard, applied, and when it is tried (again) where it is not.
    heard_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    try_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[AnswerKind] = mapped_column(enum_column(AnswerKind, "answer_kind", SCHEMA))
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    # Which part of the service heard it.
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str | None] = mapped_column(Text)
    transaction_reference: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("answer_to_apply_index", "try_at", postgresql_where=text("applied_at IS NULL")),
        {
            "comment": "What providers answered, as it was heard: stored before it is applied, and "
            "applied until it is."
        },
    )
