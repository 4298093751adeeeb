"""Callbacks as they were received: stored before they are answered, worked later."""

from enum import StrEnum

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM

from services.payments.database import SCHEMA, metadata


class WebhookStatus(StrEnum):
    RECEIVED = "received"
    APPLIED = "applied"
    UNMATCHED = "unmatched"
    """Speaks of an instruction that is not here (yet); matched again later."""
    BLOCKED = "blocked"
    """It cannot be applied now, and the reason says why; tried again later."""
    MALFORMED = "malformed"
    """Signed by the provider and not a callback that we understand."""


webhook_status = ENUM(
    *(status.value for status in WebhookStatus),
    name="webhook_status",
    schema=SCHEMA,
)

webhook_table = Table(
    "webhook",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("worked_at", DateTime(timezone=True)),
    Column("instruction_id", Uuid),
    Column("status", webhook_status, nullable=False),
    Column("provider_number", SmallInteger, nullable=False),
    Column("webhook_id", Text, nullable=False),
    # The body names the account: it is sealed like every other personal datum.
    Column("body_sealed", LargeBinary, nullable=False),
    Column("reason", Text),
    UniqueConstraint("provider_number", "webhook_id"),
    Index("webhook_to_apply_index", "id", postgresql_where=text("status = 'received'")),
    Index(
        "webhook_waiting_index",
        "instruction_id",
        postgresql_where=text("status IN ('unmatched', 'blocked')"),
    ),
    comment="Signed callbacks, raw and sealed. Stored durably before the provider is answered.",
)
