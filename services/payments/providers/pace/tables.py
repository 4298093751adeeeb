"""How fast providers may be spoken to. Instants are technical: of the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Double,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class ProviderAllowance(Base):
    """What all workers together may still send to one provider; whoever takes of it locks it."""

    __tablename__ = "provider_allowance"

    provider_number: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False
    )
    # Requests that may leave, as of that instant; more come with time, up to the burst.
    tokens: Mapped[float] = mapped_column(Double, server_default=text("0"))
    filled_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    # Until when the provider asked to be left alone, and by which code it said so.
    rests_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rest_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        {"comment": "How many requests may leave for a provider, by all workers together."},
    )


class ProviderShare(Base):
    """How many requests one worker may have under way at a provider, until its lease ends."""

    __tablename__ = "provider_share"

    provider_number: Mapped[int] = mapped_column(SmallInteger)
    # Of this run of the process.
    worker_id: Mapped[UUID] = mapped_column(Uuid)
    places: Mapped[int] = mapped_column(Integer)
    # How many it would use: more than it has, and others give some of theirs back.
    wanted: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        PrimaryKeyConstraint("provider_number", "worker_id"),
        {"comment": "A worker's part of the requests at once; a dead worker's part lapses."},
    )
