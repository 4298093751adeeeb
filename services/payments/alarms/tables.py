"""Alarms: what a person has to look at, kept until they have."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM

from services.payments.database import SCHEMA, metadata


class AlarmKind(StrEnum):
    LATE_SUCCESS = "late_success"
    """Paid by the provider after it had rejected the payment."""
    CONTRADICTION = "contradiction"
    """An answer that the instruction's state rules out."""
    DIFFERENT_PAYMENT = "different_payment"
    """The provider paid another amount, currency or reference than we ordered."""
    CANNOT_POST = "cannot_post"
    """The ledger refused the postings of a true answer: an account would be overdrawn."""
    ACCOUNT_UNREADABLE = "account_unreadable"
    """The sealed account does not open, so nothing could be sent."""


alarm_kind = ENUM(*(kind.value for kind in AlarmKind), name="alarm_kind", schema=SCHEMA)

alarm_table = Table(
    "alarm",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("instruction_id", Uuid, nullable=False),
    Column("kind", alarm_kind, nullable=False),
    Column("detail", Text, nullable=False),
    Column("occurrences", Integer, nullable=False, server_default=text("1")),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("instruction_id", "kind"),
    comment="What a person has to look at.",
)
