"""Rounds of an enrolment: the gate between instructions that are ready and their dispatch."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM

from services.payments.database import SCHEMA, metadata


class RoundStatus(StrEnum):
    GATHERING = "gathering"
    """Chunks are still arriving, or the registry has not yet said that these are all."""
    RELEASED = "released"
    """The whole of it is reserved in the fund: its instructions may be sent."""
    UNFUNDED = "unfunded"
    """The fund does not cover the whole of it: nothing is sent until it does."""
    REFUSED = "refused"
    """What was announced does not add up: nothing is sent."""


round_status = ENUM(*(status.value for status in RoundStatus), name="round_status", schema=SCHEMA)

payment_round_table = Table(
    "payment_round",
    metadata,
    Column("number", Integer, Identity(always=True), primary_key=True),
    Column("enrolment_id", Uuid, nullable=False),
    Column("round", Integer, nullable=False),
    Column("activation_id", Uuid, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("fund", Text),
    Column("currency", Text),
    Column("chunk_count", Integer),
    Column("entitlement_count", Integer),
    Column("total_minor", BigInteger),
    Column("status", round_status, nullable=False),
    Column("reason", Text),
    Column("reserved_minor", BigInteger),
    Column("announced_at", DateTime(timezone=True), nullable=False),
    Column("released_at", DateTime(timezone=True)),
    UniqueConstraint("enrolment_id", "round"),
    Index("payment_round_activation_index", "activation_id"),
    Index(
        "payment_round_waiting_index",
        "number",
        postgresql_where=text("status IN ('gathering', 'unfunded')"),
    ),
    comment="One round of one enrolment. Only instructions of released rounds are dispatched.",
)
