"""Where files that were sent by hand are stored: who, as what, and what came of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.approvals.tables import Approval
from services.triggers.database import Base
from services.triggers.feeds.tables import Feed

_NONE = text("0")


class ObservationImport(Base):
    """One file of figures, sent by hand; never deleted."""

    __tablename__ = "observation_import"
    __table_args__ = (
        ForeignKeyConstraint(
            ["feed_code", "feed_version"],
            [Feed.code, Feed.version],
            name="observation_import_feed_foreign_key",
        ),
        ForeignKeyConstraint(
            ["approval_id"], [Approval.id], name="observation_import_approval_foreign_key"
        ),
        CheckConstraint("(digest IS NULL) = (read_at IS NULL)", name="read_with_digest"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    feed_code: Mapped[str] = mapped_column(Text)
    feed_version: Mapped[int] = mapped_column(Integer, comment="By which the file is read.")
    note: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_by: Mapped[str | None] = mapped_column(Text, comment="Whose hand the file came from.")
    read_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Null: no file that could be read has come."
    )
    digest: Mapped[str | None] = mapped_column(Text, comment="SHA-256 of the file.")
    seen: Mapped[int] = mapped_column(Integer, server_default=_NONE)
    recorded: Mapped[int] = mapped_column(
        Integer, server_default=_NONE, comment="By all sendings of the file together."
    )
    unchanged: Mapped[int] = mapped_column(Integer, server_default=_NONE)
    set_aside: Mapped[int] = mapped_column(Integer, server_default=_NONE)
    refused: Mapped[int] = mapped_column(Integer, server_default=_NONE)
    refusals: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB,
        server_default=text("'[]'"),
        comment="The first of them, each with its reason.",
    )
    proposed: Mapped[int] = mapped_column(
        Integer, server_default=_NONE, comment="Rows that a second person is, or was, asked about."
    )
    approval_id: Mapped[UUID | None] = mapped_column(Uuid)
