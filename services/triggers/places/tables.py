"""Where places are stored, and every name that one goes by."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import SCHEMA, Base
from shared.tables import enum_column


class PlaceKind(StrEnum):
    """What a place is."""

    MARKET = "market"
    GAUGE = "gauge"
    STATION = "station"


class Place(Base):
    """Where something is measured. It never changes; further names are added to it."""

    __tablename__ = "place"
    __table_args__ = (CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[PlaceKind] = mapped_column(enum_column(PlaceKind, "place_kind", SCHEMA))
    area_code: Mapped[str] = mapped_column(Text, comment="The area in which it lies.")
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    posted_by: Mapped[str] = mapped_column(Text)


class PlaceAlias(Base):
    """A name of a place: its code, its own name, and each other spelling."""

    __tablename__ = "place_alias"
    __table_args__ = (Index("place_alias_place_code_index", "place_code"),)

    area_code: Mapped[str] = mapped_column(Text, primary_key=True, comment="As the place's.")
    key: Mapped[str] = mapped_column(
        Text, primary_key=True, comment="The name without case, spacing and punctuation."
    )
    place_code: Mapped[str] = mapped_column(ForeignKey(Place.code))
    spelling: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    added_by: Mapped[str] = mapped_column(Text)
