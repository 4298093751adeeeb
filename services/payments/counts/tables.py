"""Counts of instructions by state, and what changed of them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Identity,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.instructions.states import Status
from shared.tables import enum_column

_STATUS = enum_column(Status, "instruction_status", SCHEMA)


class CountChange(Base):
    """By how much a count changed, not yet added to it."""

    __tablename__ = "count_change"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    # Technical time.
    changed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    chunk_number: Mapped[int] = mapped_column(Integer)
    count: Mapped[int] = mapped_column(Integer)
    status: Mapped[Status] = mapped_column(_STATUS)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    withheld: Mapped[bool] = mapped_column(Boolean)
    district_code: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        {
            "comment": "Changes of the counts of instructions, by the trigger on instruction; "
            "added up, they go."
        },
    )


class InstructionCount(Base):
    """How many instructions of a chunk, a district and a provider are in a state."""

    __tablename__ = "instruction_count"

    chunk_number: Mapped[int] = mapped_column(Integer)
    # Empty: nobody knows in which they live.
    district_code: Mapped[str] = mapped_column(Text)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[Status] = mapped_column(_STATUS)
    withheld: Mapped[bool] = mapped_column(Boolean)
    count: Mapped[int] = mapped_column(Integer)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    # Technical time.
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        PrimaryKeyConstraint(
            "chunk_number", "district_code", "provider_number", "status", "withheld"
        ),
        {
            # Updated again and again while payments are made: room for the next version.
            "postgresql_with": {"fillfactor": 50},
            "comment": "How many instructions stand where, without what count_change still has.",
        },
    )


class EndedSpan(Base):
    """How many payments of a chunk came to an end in some seconds."""

    __tablename__ = "ended_span"

    chunk_number: Mapped[int] = mapped_column(Integer)
    # Technical time.
    begun_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # Less than none where more were opened again.
    count: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        PrimaryKeyConstraint("chunk_number", "begun_at"),
        {"comment": "How fast payments end: of the last hour, in spans of ten seconds."},
    )
