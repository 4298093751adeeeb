"""Alarms: what a person has to look at, kept until they have."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Integer, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from shared.tables import enum_column


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


class Alarm(Base):
    """One kind of contradiction about one instruction."""

    __tablename__ = "alarm"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[AlarmKind] = mapped_column(enum_column(AlarmKind, "alarm_kind", SCHEMA))
    detail: Mapped[str] = mapped_column(Text)
    occurrences: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("instruction_id", "kind"),
        {"comment": "What a person has to look at."},
    )
