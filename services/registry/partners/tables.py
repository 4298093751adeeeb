"""Partners: which system a sender's id stands for, by which keys, and where it is answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base

DEFAULT_PURPOSE = "sharing"
"""For what persons are shown to a partner whose agreement names no purpose of its own."""


class Partner(Base):
    """A system whose messages are taken, and that messages are sent to."""

    __tablename__ = "partner"

    sender_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    # Of the tokens that may speak for it.
    subject: Mapped[str] = mapped_column(Text)
    keys: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    callback_url: Mapped[str | None] = mapped_column(Text)
    # For what persons are shown to it: of households that agree to just that.
    purpose: Mapped[str] = mapped_column(Text, server_default=text("'sharing'"))
    proposed_by: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("approved_by <> proposed_by", name="two_persons"),
        CheckConstraint("purpose ~ '^[a-z][a-z0-9-]{1,39}$'", name="purpose_plain"),
        {"comment": "Systems that speak SPDCI with the registry, with the keys that they sign by."},
    )


class PartnerMessage(Base):
    """A message that a partner sent."""

    __tablename__ = "partner_message"

    sender_id: Mapped[str] = mapped_column(
        Text, ForeignKey("registry.partner.sender_id"), primary_key=True
    )
    message_id: Mapped[str] = mapped_column(Text, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index(None, "received_at"),
        {
            "comment": "Ids of messages that partners sent, for as long as a signature can hold: "
            "each is taken once.",
        },
    )
