"""Batches: payments that leave together, under ids that are fixed before they do."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.batches.states import OPEN, BatchStatus
from services.payments.database import SCHEMA, Base
from services.payments.statements import among
from shared.tables import enum_column

_STATUS = enum_column(BatchStatus, "batch_status", SCHEMA)


class Batch(Base):
    """One request with many payments. Its lines are the instructions that name it."""

    __tablename__ = "batch"

    number: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    # The correlation id at the provider, the same on every resend.
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    # All of its lines are of one chunk: of one fund, currency and activation.
    # No foreign key, as instructions have none: it is made in one statement that reads the chunk.
    chunk_number: Mapped[int] = mapped_column(Integer)
    line_count: Mapped[int] = mapped_column(Integer)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[BatchStatus] = mapped_column(_STATUS)
    moves: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # What the provider calls it, and the request that made it.
    provider_batch_id: Mapped[str | None] = mapped_column(Text)
    server_correlation_id: Mapped[UUID | None] = mapped_column(Uuid)
    # How far its results were read: lines that were paid, and lines that were not.
    completions_read: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rejections_read: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # How often all of them were read from the beginning.
    readings: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # How often it was asked for since the provider last told us something new.
    inquiries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # Technical time: a lease, or when to ask next.
    next_action_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The earliest and the latest at which a request may have left. Technical time.
    first_sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Domain time.
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("line_count > 0", name="has_lines"),
        Index(
            "batch_due_index",
            "next_action_at",
            postgresql_where=text(f"status IN ({among(OPEN)})"),
        ),
        Index("batch_chunk_index", "chunk_number"),
        {"comment": "Payments that leave in one request. The id is the provider's key to it."},
    )


class BatchMove(Base):
    """One step of a batch's life."""

    __tablename__ = "batch_move"

    batch_number: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(SmallInteger)
    from_status: Mapped[BatchStatus] = mapped_column(_STATUS)
    to_status: Mapped[BatchStatus] = mapped_column(_STATUS)
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("batch_number", "position"),
        {"comment": "Who moved a batch, when and why. It only gains rows."},
    )
