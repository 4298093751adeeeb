"""Reversals: which deposit or prefunding was taken back, by which proposal."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class Reversal(Base):
    """One correction; its proposal is the approval with its id."""

    __tablename__ = "reversal"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # The approval of what is taken back.
    reverses: Mapped[UUID] = mapped_column(Uuid)
    reversed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("reverses"),
        {
            "comment": "Deposits and prefundings that were recorded wrongly and taken back. It "
            "only gains rows."
        },
    )
