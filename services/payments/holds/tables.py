"""Rules by which payments are held before they are sent, and what they hold."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.holds.states import HoldRule
from shared.tables import enum_column


class HoldRules(Base):
    """What a scheme's payments are looked at for. None: not for that."""

    __tablename__ = "hold_rules"

    scheme: Mapped[str] = mapped_column(Text, primary_key=True)
    account_households: Mapped[int | None] = mapped_column(Integer)
    account_days: Mapped[int | None] = mapped_column(Integer)
    cap_minor: Mapped[int | None] = mapped_column(BigInteger)
    cap_currency: Mapped[str | None] = mapped_column(Text)
    cap_days: Mapped[int | None] = mapped_column(Integer)
    duplicate_days: Mapped[int | None] = mapped_column(Integer)
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(
            "num_nulls(account_households, account_days) IN (0, 2)", name="account_rule_is_whole"
        ),
        CheckConstraint("num_nulls(cap_minor, cap_currency, cap_days) IN (0, 3)", "cap_is_whole"),
        CheckConstraint(
            "account_households > 0 AND account_days > 0 AND cap_minor > 0 AND cap_days > 0 "
            "AND duplicate_days > 0",
            name="limits_are_positive",
        ),
        {
            "comment": "By scheme, which payments are not sent before two persons have looked at "
            "them."
        },
    )


class Hold(Base):
    """That a rule keeps a payment, and by what."""

    __tablename__ = "hold"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    rule: Mapped[HoldRule] = mapped_column(enum_column(HoldRule, "hold_rule", SCHEMA))
    # Households of the account, minor units of the household, other activations' payments to it, or
    # how alike the names are, of a hundred.
    found: Mapped[int] = mapped_column(BigInteger)
    # The same, as much as the rule lets go; of names, how alike they have to be.
    allowed: Mapped[int] = mapped_column(BigInteger)
    window_days: Mapped[int] = mapped_column(Integer)
    # Domain time.
    held_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolution_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey(f"{SCHEMA}.resolution.id"))

    __table_args__ = (
        UniqueConstraint("instruction_id", "rule"),
        CheckConstraint("num_nulls(ended_at, resolution_id) IN (0, 2)", "ends_by_a_decision"),
        Index("hold_open_index", "number", postgresql_where=text("ended_at IS NULL")),
        {
            "comment": "Payments that a rule keeps from being sent, what it found, and the "
            "decision that ended it."
        },
    )
