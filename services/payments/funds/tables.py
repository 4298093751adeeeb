"""Funds: money set aside for a purpose. Their balances are ledger accounts."""

from datetime import datetime

from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class Fund(Base):
    """Money set aside."""

    __tablename__ = "fund"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        {"comment": "Money set aside. The code is the scope of its ledger accounts."},
    )
