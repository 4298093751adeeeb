"""Callbacks as they were received: stored before they are answered, worked later."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.webhooks.states import WebhookStatus
from shared.tables import enum_column


class Webhook(Base):
    """One signed callback, raw and sealed."""

    __tablename__ = "webhook"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    received_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    worked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    instruction_id: Mapped[UUID | None] = mapped_column(Uuid)
    status: Mapped[WebhookStatus] = mapped_column(
        enum_column(WebhookStatus, "webhook_status", SCHEMA)
    )
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    webhook_id: Mapped[str] = mapped_column(Text)
    # The body names the account: it is sealed like every other personal datum.
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str | None] = mapped_column(Text)
    # Keyed, with the key's version: by which a repeat is told from another message of the same id.
    body_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    # When its id came first with another body, which was not taken.
    differed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # That a person was told.
    difference_told: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    __table_args__ = (
        UniqueConstraint("provider_number", "webhook_id"),
        Index("webhook_to_apply_index", "id", postgresql_where=text("status = 'received'")),
        Index(
            "webhook_waiting_index",
            "instruction_id",
            postgresql_where=text("status IN ('unmatched', 'blocked')"),
        ),
        Index(
            "webhook_differed_index",
            "id",
            postgresql_where=text("differed_at IS NOT NULL AND NOT difference_told"),
        ),
        {
            "comment": "Signed callbacks, raw and sealed. Stored durably before the provider is "
            "answered."
        },
    )
