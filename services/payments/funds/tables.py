"""Funds: money set aside for a purpose. Their balances are ledger accounts."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class Fund(Base):
    """Money set aside."""

    __tablename__ = "fund"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # What goes by itself: one payment to one household, and one round of one activation. Null: the
    # fund was opened before there were bounds, so nothing of it goes by itself.
    maximum_payment_minor: Mapped[int | None] = mapped_column(BigInteger)
    maximum_round_minor: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint(
            "num_nulls(maximum_payment_minor, maximum_round_minor) IN (0, 2)",
            name="bounds_are_whole",
        ),
        CheckConstraint(
            "maximum_payment_minor > 0 AND maximum_round_minor >= maximum_payment_minor",
            name="bounds_leave_room",
        ),
        {"comment": "Money set aside. The code is the scope of its ledger accounts."},
    )
