"""The rounds of an activation: the first is paid at once, later ones when an officer releases."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, SmallInteger, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class PaymentRound(Base):
    """One round of one activation."""

    __tablename__ = "payment_round"

    activation_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.activation.id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    due_on: Mapped[date] = mapped_column(Date)
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    released_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)", name="released_by_someone"
        ),
        {"comment": "Rounds by due date; nothing of a round is owed before it is released."},
    )
