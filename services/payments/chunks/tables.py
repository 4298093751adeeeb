"""Chunks: the portions in which the registry announces entitlements, and their fate here."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.chunks.states import ChunkStatus
from services.payments.database import SCHEMA, Base
from shared.tables import enum_column


class Chunk(Base):
    """One portion as it was announced, and what became of it."""

    __tablename__ = "chunk"

    number: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    chunk_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    round_number: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.payment_round.number"))
    fund: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    entitlement_count: Mapped[int] = mapped_column(Integer)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[ChunkStatus] = mapped_column(enum_column(ChunkStatus, "chunk_status", SCHEMA))
    reason: Mapped[str | None] = mapped_column(Text)
    fetch_failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # Technical time: the lease of whoever fetches, or when to try again.
    fetch_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    announced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    raised_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("chunk_round_index", "round_number"),
        Index("chunk_to_fetch_index", "fetch_at", postgresql_where=text("status = 'announced'")),
        Index("chunk_open_index", "number", postgresql_where=text("status = 'raised'")),
        {
            "comment": "Announced portions of entitlements. The number is the short key on "
            "instructions."
        },
    )
