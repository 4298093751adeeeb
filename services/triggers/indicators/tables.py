"""Where indicators are stored."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, DateTime, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.areas import AreaLevel
from services.triggers.database import SCHEMA, Base
from shared.tables import enum_column


class Indicator(Base):
    """A measured thing. It never changes: another unit or level is another indicator."""

    __tablename__ = "indicator"
    __table_args__ = (
        # Which kinds there are is known to the methods that judge them.
        CheckConstraint("kind ~ '^[a-z]+(_[a-z]+)*$'", name="kind"),
        # What an observation's foreign key refers to.
        UniqueConstraint("code", "forecast", name="indicator_forecast_unique"),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    area_level: Mapped[AreaLevel] = mapped_column(enum_column(AreaLevel, "area_level", SCHEMA))
    forecast: Mapped[bool] = mapped_column(
        Boolean, comment="Its observations may be published before the day they are about."
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    posted_by: Mapped[str] = mapped_column(Text)
