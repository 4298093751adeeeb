"""Where observations are stored: append-only, a new value for the same key is a new revision."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base
from services.triggers.indicators.tables import Indicator


class Observation(Base):
    """One value of an indicator, at a place, for one date, as one source published it."""

    __tablename__ = "observation"
    __table_args__ = (
        UniqueConstraint(
            "indicator_code",
            "observed_on",
            "area_code",
            "place",
            "source",
            "revision",
            name="observation_revision_unique",
        ),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("published_on >= observed_on", name="published_on"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    indicator_code: Mapped[str] = mapped_column(Text, ForeignKey(Indicator.code))
    observed_on: Mapped[date] = mapped_column(Date)
    area_code: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text, comment="Empty: the area as a whole.")
    source: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer)
    value: Mapped[Decimal | None] = mapped_column(
        Numeric(18, 6), comment="Null: named without a figure."
    )
    published_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorded_by: Mapped[str] = mapped_column(Text)
