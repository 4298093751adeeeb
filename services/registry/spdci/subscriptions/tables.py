"""What partners want to be told of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base
from shared.events.tables import TransactionId


class PartnerSubscription(Base):
    """One subscription of a partner. Its id is the ``code``."""

    __tablename__ = "partner_subscription"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sender_id: Mapped[str] = mapped_column(Text, ForeignKey("registry.partner.sender_id"))
    event_type: Mapped[str] = mapped_column(Text)
    record_type: Mapped[str] = mapped_column(Text)
    filter_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    filter_index: Mapped[bytes] = mapped_column(LargeBinary)
    """Equal of two subscriptions that want the same."""
    callback_url: Mapped[str] = mapped_column(Text)
    begins_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Of the token that it came with: for whom, and what they may see.
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    subject: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[UUID] = mapped_column(Uuid)
    subscribed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    subscribed_in: Mapped[int] = mapped_column(
        TransactionId(), server_default=text("pg_current_xact_id()")
    )
    """The transaction that added it: it is told of what later ones do."""

    __table_args__ = (
        CheckConstraint("ends_at > begins_at", name="ends_after_it_begins"),
        Index(
            "partner_subscription_standing_unique",
            "sender_id",
            "filter_index",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"comment": "What partners want to be told of, and how each asked for it, sealed."},
    )
