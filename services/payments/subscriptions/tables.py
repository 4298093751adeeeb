"""Subscriptions: who is sent which events, and the keys that sign what is sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
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

from services.payments.database import SCHEMA, Base
from services.payments.subscriptions.states import Signing, SubscriptionStatus
from shared.tables import enum_column


class Subscription(Base):
    """An address outside, and the events that are sent to it."""

    __tablename__ = "subscription"

    # The proposal's.
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Codes of places; empty: everywhere.
    areas: Mapped[list[str]] = mapped_column(ARRAY(Text))
    signing: Mapped[Signing] = mapped_column(enum_column(Signing, "signing", SCHEMA))
    status: Mapped[SubscriptionStatus] = mapped_column(
        enum_column(SubscriptionStatus, "subscription_status", SCHEMA)
    )
    # Of the event log: what was told before it was approved is not sent.
    after_sequence: Mapped[int] = mapped_column(BigInteger)
    proposed_by: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_because: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("approved_by <> proposed_by", name="two_persons"),
        CheckConstraint(
            "(status = 'active') = (ended_at IS NULL) "
            "AND num_nulls(ended_at, ended_because) IN (0, 2)",
            name="end_is_whole",
        ),
        Index("subscription_active_index", "id", postgresql_where=text("status = 'active'")),
        {"comment": "Addresses outside, and the events that are sent to them."},
    )


class SubscriptionKey(Base):
    """What signs the deliveries of a subscription; two while one takes the other's place."""

    __tablename__ = "subscription_key"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey(f"{SCHEMA}.subscription.id"), index=True
    )
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[str | None] = mapped_column(Text)
    # To whom the secret is shown.
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    signs_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = ({"comment": "Keys that sign deliveries, sealed."},)
