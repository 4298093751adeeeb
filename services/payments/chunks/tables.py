"""Chunks: the portions in which the registry announces entitlements, and their fate here."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM

from services.payments.database import SCHEMA, metadata


class ChunkStatus(StrEnum):
    ANNOUNCED = "announced"
    """To be fetched from the registry."""
    RAISED = "raised"
    """Checked; its instructions exist and some have no end yet."""
    REFUSED = "refused"
    """It is not what was announced: nothing of it is paid."""
    SETTLED = "settled"
    """Every one of its instructions has an end."""


chunk_status = ENUM(*(status.value for status in ChunkStatus), name="chunk_status", schema=SCHEMA)

chunk_table = Table(
    "chunk",
    metadata,
    Column("number", Integer, Identity(always=True), primary_key=True),
    Column("chunk_id", Uuid, nullable=False, unique=True),
    Column("round_number", Integer, ForeignKey(f"{SCHEMA}.payment_round.number"), nullable=False),
    Column("fund", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("entitlement_count", Integer, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("status", chunk_status, nullable=False),
    Column("reason", Text),
    Column("fetch_failures", Integer, nullable=False, server_default=text("0")),
    # Technical time: the lease of whoever fetches, or when to try again.
    Column("fetch_at", DateTime(timezone=True), nullable=False),
    Column("announced_at", DateTime(timezone=True), nullable=False),
    Column("raised_at", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    Index("chunk_round_index", "round_number"),
    Index("chunk_to_fetch_index", "fetch_at", postgresql_where=text("status = 'announced'")),
    Index("chunk_open_index", "number", postgresql_where=text("status = 'raised'")),
    comment="Announced portions of entitlements. The number is the short key on instructions.",
)
