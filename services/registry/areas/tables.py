"""The national gazetteer: one row for each place, the country down to the village."""

from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from shared.tables import enum_column

COUNTRY_CODE = "KH"

CODE = Text(collation="C")
"""Codes compare byte by byte, so that a prefix is a range of an index."""


class Level(StrEnum):
    """How deep an area lies."""

    COUNTRY = "country"
    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    VILLAGE = "village"


class Residence(StrEnum):
    """What kind of place a commune is; the inflation programme pays by it."""

    PHNOM_PENH = "phnom-penh"
    URBAN = "urban"
    RURAL = "rural"


class Area(Base):
    """A place. Its parent's code is the prefix of its own; provinces belong to the country."""

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(CODE, primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(CODE, ForeignKey("registry.area.code"))
    level: Mapped[Level] = mapped_column(enum_column(Level, "area_level", SCHEMA))
    name_en: Mapped[str] = mapped_column(Text)
    name_km: Mapped[str] = mapped_column(Text)
    residence: Mapped[Residence | None] = mapped_column(enum_column(Residence, "residence", SCHEMA))
    households_total: Mapped[int | None] = mapped_column(Integer)
    idpoor1_households: Mapped[int | None] = mapped_column(Integer)
    idpoor2_households: Mapped[int | None] = mapped_column(Integer)
    flood_hazard_index: Mapped[Decimal | None] = mapped_column(Numeric)
    vulnerability_index: Mapped[Decimal | None] = mapped_column(Numeric)
    latitude: Mapped[Decimal | None] = mapped_column(Numeric)
    longitude: Mapped[Decimal | None] = mapped_column(Numeric)

    __table_args__ = (
        CheckConstraint(
            "(level = 'commune') = (residence IS NOT NULL)", name="residence_of_communes"
        ),
        CheckConstraint(
            "(level = 'country') = (parent_code IS NULL)", name="parent_unless_country"
        ),
        CheckConstraint(
            "code ~ CASE level WHEN 'country' THEN '^[A-Z]{2}$' WHEN 'province' THEN '^[0-9]{2}$' "
            "WHEN 'district' THEN '^[0-9]{4}$' WHEN 'commune' THEN '^[0-9]{6}$' "
            "ELSE '^[0-9]{8}$' END",
            name="code_fits_level",
        ),
        Index(None, "parent_code", "code"),
        Index(None, "level", "code"),
        {"comment": "National gazetteer (NCDD codes, two digits a level, leading zeros kept)."},
    )
