"""Pauses: what is not sent for the time being."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base


class Pause(Base):
    """One person's word that something is not sent until two persons say that it is."""

    __tablename__ = "pause"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    provider_number: Mapped[int | None] = mapped_column(
        SmallInteger, ForeignKey(f"{SCHEMA}.provider.number")
    )
    scheme: Mapped[str | None] = mapped_column(Text)
    activation_id: Mapped[UUID | None] = mapped_column(Uuid)
    area_code: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    paused_by: Mapped[str] = mapped_column(Text)
    # Domain time.
    paused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    resumed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(provider_number, scheme, activation_id, area_code) > 0",
            name="is_of_something",
        ),
        Index("pause_in_force_index", "id", postgresql_where=text("resumed_at IS NULL")),
        {
            "comment": "What is not sent for the time being, by whom and why. All that a row names "
            "has to fit."
        },
    )
