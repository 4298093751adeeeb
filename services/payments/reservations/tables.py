"""Reservations: money that a fund keeps for a trigger that is ready, before anything is paid."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Integer, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class Reservation(Base):
    """What a fund keeps for one span in which a trigger is ready."""

    __tablename__ = "reservation"

    readiness_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    trigger: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(Text)
    fund: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    households: Mapped[int] = mapped_column(Integer)
    # What its scheme would come to; what of it rounds took; what is kept now.
    wanted_minor: Mapped[int] = mapped_column(BigInteger)
    drawn_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    reserved_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(
            "wanted_minor >= 0 AND drawn_minor >= 0 AND reserved_minor >= 0", name="not_negative"
        ),
        CheckConstraint("released_at IS NULL OR reserved_minor = 0", name="released_whole"),
        Index(
            "reservation_held_index",
            "trigger",
            "fund",
            postgresql_where=text("released_at IS NULL"),
        ),
        {"comment": "Money that a fund keeps for a trigger that is ready. It pays nobody."},
    )


class ActivationTrigger(Base):
    """Which trigger an activation is of: its rounds draw on what is kept for that trigger."""

    __tablename__ = "activation_trigger"

    activation_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    trigger: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"comment": "Activations that opened, and the triggers that they are of."},)
