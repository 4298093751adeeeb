"""Reclaims: money that came back and was given back to its fund, by which proposal."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class Reclaim(Base):
    """One decision about money that came back; its proposal is the approval with its id."""

    __tablename__ = "reclaim"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    fund: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    reclaimed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_is_positive"),
        {
            "comment": "Money that came back after it was paid, given back to its fund. It only "
            "gains rows."
        },
    )


class ReclaimItem(Base):
    """One returned payment whose money went back to its fund: once for each."""

    __tablename__ = "reclaim_item"

    instruction_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    reclaim_id: Mapped[UUID] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index("reclaim_item_reclaim_index", "reclaim_id", "instruction_id"),
        {"comment": "The payments of reclaims. It only gains rows."},
    )
