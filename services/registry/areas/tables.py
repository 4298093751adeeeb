"""The national gazetteer, edition by edition: one row for each place, country to village."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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


class ChangeKind(StrEnum):
    """What an edition makes of a code."""

    RENAMED = "renamed"
    """It keeps its code, and is called something else."""
    MOVED = "moved"
    """One place, whole, under another code."""
    MERGED = "merged"
    """It is a part of another from now on."""
    SPLIT = "split"
    """It became several; it may keep its code as one of them."""


class Edition(Base):
    """An edition of the gazetteer: a draft until it has a number. The highest is in force."""

    __tablename__ = "gazetteer_edition"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str | None] = mapped_column(Text)
    # The two tables as they were sent; none of the edition that is shipped.
    areas: Mapped[str | None] = mapped_column(Text)
    changes: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    sent_by: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # When the areas were last brought to it: what is kept of their names is read anew then.
    loaded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    in_force_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approval_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("(number IS NULL) = (in_force_at IS NULL)", name="in_force_with_a_number"),
        {
            "comment": "Editions of the gazetteer: drafts, and those put in force, the latest "
            "with the highest number."
        },
    )


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
    # The last edition that it is in; and since when it is in none any more.
    edition: Mapped[str] = mapped_column(Text, server_default=text("'ncdd-2022'"))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

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


class AreaChange(Base):
    """What became of a code in an edition, and what it was called before: history."""

    __tablename__ = "area_change"

    edition: Mapped[str] = mapped_column(
        Text, ForeignKey("registry.gazetteer_edition.code"), primary_key=True
    )
    from_code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"), primary_key=True)
    to_code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"), primary_key=True)
    kind: Mapped[ChangeKind] = mapped_column(enum_column(ChangeKind, "area_change_kind", SCHEMA))
    name_en: Mapped[str] = mapped_column(Text)
    name_km: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index(None, "from_code"),
        Index(None, "to_code"),
        {
            "comment": "What became of a code in an edition that was put in force, and what it "
            "was called before."
        },
    )


class AreaSuccessor(Base):
    """Where a code leads to that is not the place any more that it was: living codes."""

    __tablename__ = "area_successor"

    code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"), primary_key=True)
    successor: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"), primary_key=True)

    __table_args__ = (
        {
            "comment": "Where a code that was moved, merged or split leads to now, through all "
            "editions."
        },
    )
