"""Deliveries: which event goes to which subscriber, and how far that is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.deliveries.states import DeliveryStatus
from shared.tables import enum_column


class Delivery(Base):
    """One event for one subscription. What is sent is read from the log."""

    __tablename__ = "delivery"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # Follows from the subscription and the event: the receiver's ``webhook-id``.
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    subscription_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey(f"{SCHEMA}.subscription.id"))
    event_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[DeliveryStatus] = mapped_column(
        enum_column(DeliveryStatus, "delivery_status", SCHEMA)
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
    # Of the last attempt: the status of the answer, and what went wrong.
    answer_status: Mapped[int | None] = mapped_column(SmallInteger)
    detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        CheckConstraint(
            "(status = 'waiting') = (finished_at IS NULL) "
            "AND (status = 'waiting') = (next_attempt_at IS NOT NULL)",
            name="waits_or_is_finished",
        ),
        Index(
            "delivery_due_index",
            "subscription_id",
            "next_attempt_at",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index(
            "delivery_not_delivered_index",
            "number",
            postgresql_where=text("status IN ('failed', 'stopped')"),
        ),
        Index(
            "delivery_taken_index",
            "subscription_id",
            "finished_at",
            postgresql_where=text("status = 'delivered'"),
        ),
        {"comment": "Events on their way to subscribers, each once for each subscription."},
    )
