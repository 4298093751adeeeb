"""Where feeds are stored: versions, how each stands, and every pull."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import SCHEMA, Base
from services.triggers.feeds.outcomes import Alarm, Outcome
from shared.documents import DocumentVersion
from shared.tables import enum_column


class Feed(DocumentVersion, Base):
    """One version of one feed; the highest version is the one in force."""

    __tablename__ = "feed"


class FeedState(Base):
    """How a feed stands: when it is pulled next, what it said last, and what is wrong with it."""

    __tablename__ = "feed_state"
    __table_args__ = (
        ForeignKeyConstraint(
            ["code", "version"], [Feed.code, Feed.version], name="feed_state_feed_foreign_key"
        ),
        CheckConstraint("(alarm IS NULL) = (alarmed_at IS NULL)", name="alarm_since"),
        Index("feed_state_pull_at_index", "pull_at", postgresql_where=text("pull_at IS NOT NULL")),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, comment="In force.")
    pull_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="By the machine's clock; null: it is retired."
    )
    leased_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Until when one worker pulls it."
    )
    failures: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Since it was well."
    )
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(Text, comment="SHA-256 of what was read last.")
    watched_since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="The last answer that could be read."
    )
    new_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="The last answer with new figures."
    )
    alarm: Mapped[Alarm | None] = mapped_column(enum_column(Alarm, "feed_alarm", SCHEMA))
    alarmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FeedPull(Base):
    """One time that a feed was asked for, and what came of it. Only ever added to."""

    __tablename__ = "feed_pull"
    __table_args__ = (
        ForeignKeyConstraint(
            ["feed_code", "feed_version"],
            [Feed.code, Feed.version],
            name="feed_pull_feed_foreign_key",
        ),
        Index("feed_pull_feed_code_sequence_index", "feed_code", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    feed_code: Mapped[str] = mapped_column(Text)
    feed_version: Mapped[int] = mapped_column(Integer)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome, "feed_outcome", SCHEMA))
    status: Mapped[int | None] = mapped_column(Integer, comment="Of HTTP; null: no answer.")
    detail: Mapped[str | None] = mapped_column(Text, comment="Why nothing was read.")
    seen: Mapped[int] = mapped_column(Integer)
    recorded: Mapped[int] = mapped_column(Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    set_aside: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refused: Mapped[int] = mapped_column(Integer)
    refusals: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, comment="The first of them, each with its reason."
    )
    etag: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(Text, comment="SHA-256 of the body.")
