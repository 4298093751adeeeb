"""Preparations: what the scheme of a trigger that is ready would come to."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.database import Base


class Preparation(Base):
    """A span in which a trigger is ready, with whom its scheme would pay.

    As long as nobody can say whom, ``not_counted`` says why.
    """

    __tablename__ = "preparation"

    readiness_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    trigger: Mapped[str] = mapped_column(Text)
    scheme_code: Mapped[str] = mapped_column(Text)
    areas: Mapped[list[str]] = mapped_column(ARRAY(CODE))
    area_filter: Mapped[str | None] = mapped_column(Text)
    readied_on: Mapped[date] = mapped_column(Date)
    stood_down_on: Mapped[date | None] = mapped_column(Date)
    counted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    not_counted: Mapped[str | None] = mapped_column(Text)
    fund: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str | None] = mapped_column(Text)
    households: Mapped[int | None] = mapped_column(Integer)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    without_account: Mapped[int | None] = mapped_column(Integer)
    without_provider: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        {
            "comment": "What was counted when a trigger became ready: whom its scheme would pay, "
            "and whose accounts have to be mended first."
        },
    )
