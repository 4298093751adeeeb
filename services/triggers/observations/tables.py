"""Where observations are stored: append-only, a new value for the same key is a new revision."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base
from services.triggers.indicators.tables import Indicator


class Observation(Base):
    """One value of an indicator, at a place, for one date, as one source published it."""

    __tablename__ = "observation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["indicator_code", "forecast"],
            [Indicator.code, Indicator.forecast],
            name="observation_indicator_foreign_key",
        ),
        # Forecasts of one day that were issued on different days are different observations.
        UniqueConstraint(
            "indicator_code",
            "observed_on",
            "area_code",
            "place",
            "source",
            "revision",
            "issued_on",
            "member",
            name="observation_revision_unique",
            postgresql_nulls_not_distinct=True,
        ),
        Index("observation_recorded_at_index", "indicator_code", "recorded_at"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("said_value IS NULL OR said_unit IS NOT NULL", name="said_in_a_unit"),
        CheckConstraint("issue >= 1", name="issue"),
        CheckConstraint("forecast OR published_on >= observed_on", name="published_on"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    indicator_code: Mapped[str] = mapped_column(Text)
    forecast: Mapped[bool] = mapped_column(Boolean, comment="As the indicator says.")
    observed_on: Mapped[date] = mapped_column(Date)
    area_code: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text, comment="Empty: the area as a whole.")
    source: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer)
    value: Mapped[Decimal | None] = mapped_column(
        Numeric(18, 6), comment="Null: named without a figure."
    )
    said_value: Mapped[Decimal | None] = mapped_column(
        Numeric(18, 6), comment="As published, in another unit."
    )
    said_unit: Mapped[str | None] = mapped_column(
        Text, comment="In which it was published; null: in the indicator's."
    )
    published_on: Mapped[date] = mapped_column(Date)
    issued_on: Mapped[date | None] = mapped_column(
        Date,
        Computed("CASE WHEN forecast THEN published_on END", persisted=True),
        comment="A forecast's day of publication, which is part of its key; null: measured.",
    )
    issue: Mapped[int] = mapped_column(
        Integer,
        server_default=text("1"),
        comment="Of several publications on one day: which, by the publisher's own count.",
    )
    member: Mapped[int | None] = mapped_column(
        Integer, comment="Of a forecast ensemble: which of its members."
    )
    details: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="What its kind of indicator says beside the value."
    )
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    posted_by: Mapped[str] = mapped_column(Text)
    published: Mapped[bool] = mapped_column(
        Boolean, server_default=text("false"), comment="A publisher's own client posted it."
    )
    approved_by: Mapped[str | None] = mapped_column(
        Text, comment="The second person; null: a publisher's, or one person's alone."
    )
    released: Mapped[bool] = mapped_column(
        Boolean,
        server_default=text("false"),
        comment="A person released it, doubtful as it was: it is not screened again.",
    )
