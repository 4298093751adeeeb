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
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.chunks.states import ChunkStatus, SetAsideReason
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
    # The line of the fund that it is booked on; null: on none.
    budget_line: Mapped[str | None] = mapped_column(Text)
    entitlement_count: Mapped[int] = mapped_column(Integer)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[ChunkStatus] = mapped_column(enum_column(ChunkStatus, "chunk_status", SCHEMA))
    reason: Mapped[str | None] = mapped_column(Text)
    # Of the event log, when it was announced first: in a later one it may have been sent before.
    epoch: Mapped[int] = mapped_column(Integer)
    # Technical time: when the registry wrote that announcement.
    told_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # What was set aside of it; the rest was raised.
    set_aside_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    set_aside_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # The largest payment that was raised of it, once it is raised.
    largest_minor: Mapped[int | None] = mapped_column(BigInteger)
    # The smallest area in which all of it lies; empty where that is the country. None: it is not
    # raised, or was before areas were kept.
    area_code: Mapped[str | None] = mapped_column(Text)
    # What the registry was last told while payments were open, and when that is looked at again.
    progress_paid: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    progress_failed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    progress_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fetch_failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # How often something came that is not what was announced.
    unusable_fetches: Mapped[int] = mapped_column(Integer, server_default=text("0"))
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


class SetAside(Base):
    """An entitlement of a raised chunk that no instruction was raised for."""

    __tablename__ = "set_aside"

    entitlement_id: Mapped[UUID] = mapped_column(Uuid)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    chunk_number: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.chunk.number"))
    # The chunk whose instruction for the entitlement answers for it; none: it is unpayable.
    answered_in: Mapped[int | None] = mapped_column(Integer)
    announcement: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[SetAsideReason] = mapped_column(
        enum_column(SetAsideReason, "set_aside_reason", SCHEMA)
    )
    set_aside_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        PrimaryKeyConstraint("chunk_number", "entitlement_id"),
        Index(
            "set_aside_answered_index",
            "answered_in",
            postgresql_where=text("answered_in IS NOT NULL"),
        ),
        {
            "comment": "Entitlements of raised chunks that are not paid from there, each with its "
            "reason. It only gains rows."
        },
    )
