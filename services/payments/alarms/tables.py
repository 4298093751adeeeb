"""Alarms: what a person has to look at, kept until they have."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
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
    ANSWER_NOT_APPLIED = "answer_not_applied"
    """An answer that was heard cannot be applied, for a reason that nobody foresaw."""
    ACCOUNT_UNREADABLE = "account_unreadable"
    """The sealed account does not open, so nothing could be sent."""
    PENDING_TOO_LONG = "pending_too_long"
    """The provider has not decided for longer than the settings allow."""
    UNKNOWN_TOO_LONG = "unknown_too_long"
    """It may have been sent, and nobody has known for too long what became of it."""
    UNKNOWN_STATUS = "unknown_status"
    """The provider tells its status by a word that is not known here."""
    PROVIDER_NOT_CONFIGURED = "provider_not_configured"
    """Payments are open at a provider that is not in the settings; about the provider as such."""
    SETTLED_NOT_BOOKED = "settled_not_booked"
    """Settled here, and not known or not decided at the provider."""
    PROVIDER_DOWN = "provider_down"
    """A provider answers nothing that can be used; about the provider as such."""
    FILE_SET_ASIDE = "file_set_aside"
    """A file that came in cannot be read, or is about none of ours; about the provider."""
    FILE_DIFFERS = "file_differs"
    """A file that was to leave is there with other bytes; about the provider."""
    LINES_NOT_OURS = "lines_not_ours"
    """A file that came in speaks of lines that its file has not; about the provider."""
    CALLBACK_DIFFERS = "callback_differs"
    """A callback's id came again with another body."""
    ACCOUNTS_NOT_CHECKED = "accounts_not_checked"
    """Payments wait for what cannot be learnt of their accounts; about the provider."""
    CASH_LIST_OVERDUE = "cash_list_overdue"
    """Lists whose last day has passed and that have lines without a result; about the provider."""
    SUBSCRIPTION_FAILING = "subscription_failing"
    """A receiver of events has taken none for a while; about the subscription."""
    SUBSCRIPTION_DISABLED = "subscription_disabled"
    """A receiver of events wants no more; about the subscription."""


CLEARED_BY_PERSONS = (
    AlarmKind.CALLBACK_DIFFERS,
    AlarmKind.CONTRADICTION,
    AlarmKind.DIFFERENT_PAYMENT,
    AlarmKind.SETTLED_NOT_BOOKED,
    AlarmKind.FILE_SET_ASIDE,
    AlarmKind.FILE_DIFFERS,
    AlarmKind.LINES_NOT_OURS,
    AlarmKind.SUBSCRIPTION_DISABLED,
)
"""What may stay true for good: a person who has looked says so. Every other cause ends."""


class Alarm(Base):
    """One kind of contradiction about one instruction, a provider or a subscription."""

    __tablename__ = "alarm"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    instruction_id: Mapped[UUID | None] = mapped_column(Uuid)
    # Of an alarm about a provider, which is about no single instruction.
    provider_number: Mapped[int | None] = mapped_column(SmallInteger)
    # Of an alarm about a subscription.
    subscription_id: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[AlarmKind] = mapped_column(enum_column(AlarmKind, "alarm_kind", SCHEMA))
    detail: Mapped[str] = mapped_column(Text)
    occurrences: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cleared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Who cleared it and why; empty where its cause is gone by itself.
    cleared_by: Mapped[str | None] = mapped_column(Text)
    cleared_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("instruction_id", "kind"),
        CheckConstraint(
            "num_nonnulls(instruction_id, provider_number, subscription_id) = 1",
            name="is_about_a_thing",
        ),
        Index(
            "alarm_of_a_provider_index",
            "provider_number",
            "kind",
            unique=True,
            postgresql_where=text("instruction_id IS NULL"),
        ),
        Index(
            "alarm_of_a_subscription_index",
            "subscription_id",
            "kind",
            unique=True,
            postgresql_where=text("subscription_id IS NOT NULL"),
        ),
        Index("alarm_open_index", "number", postgresql_where=text("cleared_at IS NULL")),
        {"comment": "What a person has to look at."},
    )
