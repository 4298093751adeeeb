"""What partners asked that is answered later, and what is on its way to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from shared.tables import enum_column


class RequestStatus(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    DROPPED = "dropped"
    """Its partner ended before it was answered."""


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up, after the last of the attempts."""
    STOPPED = "stopped"
    """The partner ended, or wants it no more."""


class PartnerRequest(Base):
    """One message of a partner that is answered later. Its id is the ``correlation_id``."""

    __tablename__ = "partner_request"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sender_id: Mapped[str] = mapped_column(Text, ForeignKey("registry.partner.sender_id"))
    register: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[str] = mapped_column(Text)
    reference_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    callback_url: Mapped[str] = mapped_column(Text)
    # Of the token that it came with: for whom it is answered, and what they may see.
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    subject: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[UUID] = mapped_column(Uuid)
    message_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[RequestStatus] = mapped_column(
        enum_column(RequestStatus, "partner_request_status", SCHEMA)
    )
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(
            "(status = 'waiting') = (answered_at IS NULL)", name="waits_or_is_answered"
        ),
        Index("partner_request_waiting_index", "id", postgresql_where=text("status = 'waiting'")),
        Index(None, "sender_id", "transaction_id"),
        {"comment": "What partners asked that is answered later, sealed: it may name persons."},
    )


class PartnerDelivery(Base):
    """One message to a partner. Its id is the ``message_id``, in every attempt."""

    __tablename__ = "partner_delivery"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sender_id: Mapped[str] = mapped_column(Text, ForeignKey("registry.partner.sender_id"))
    partner_request_id: Mapped[UUID | None] = mapped_column(Uuid)
    """What it answers; none: it tells of an event."""
    url: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    message_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Header and message, without the signature: each attempt is signed anew."""
    status: Mapped[DeliveryStatus] = mapped_column(
        enum_column(DeliveryStatus, "partner_delivery_status", SCHEMA)
    )
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    made_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    next_attempt_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    attempted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer_status: Mapped[int | None] = mapped_column(SmallInteger)
    detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(
            "(status = 'waiting') = (finished_at IS NULL) "
            "AND (status = 'waiting') = (next_attempt_at IS NOT NULL)",
            name="waits_or_is_finished",
        ),
        Index(
            "partner_delivery_due_index",
            "next_attempt_at",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index(None, "partner_request_id"),
        {"comment": "Messages on their way to partners, sealed, each until it was taken."},
    )


class PartnerSearch(Base):
    """A search that we send to a partner's registry. Its id is the ``transaction_id``."""

    __tablename__ = "partner_search"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sender_id: Mapped[str] = mapped_column(Text, ForeignKey("registry.partner.sender_id"))
    delivery_id: Mapped[UUID] = mapped_column(Uuid)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index(None, "sender_id", "id"),
        {"comment": "Searches that were sent to partners; what they answered is a callback."},
    )


class PartnerCallback(Base):
    """A message that a partner sent of itself or in answer: ``on-search``, ``notify`` and so on."""

    __tablename__ = "partner_callback"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sender_id: Mapped[str] = mapped_column(Text, ForeignKey("registry.partner.sender_id"))
    message_id: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[str] = mapped_column(Text)
    message_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("partner_callback_message_unique", "sender_id", "message_id", unique=True),
        Index(None, "sender_id", "transaction_id"),
        Index(None, "received_at"),
        {"comment": "Answers and notices that partners sent to us, sealed, each once."},
    )
