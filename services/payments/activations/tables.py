"""Activations that an official cancelled."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, DateTime, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class CancelledActivation(Base):
    """An activation of which nothing is sent any more."""

    __tablename__ = "cancelled_activation"

    activation_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    cancelled_on: Mapped[date] = mapped_column(Date)
    heard_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        {
            "comment": "Activations that an official cancelled: nothing of them is sent any more.",
        },
    )
