"""Where indicators are stored."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base


class Indicator(Base):
    """A measured thing. It never changes: another unit or level is another indicator."""

    __tablename__ = "indicator"
    __table_args__ = (
        CheckConstraint("kind IN ('price', 'households_affected')", name="kind"),
        CheckConstraint(
            "area_level IN ('country', 'province', 'district', 'commune', 'village')",
            name="area_level",
        ),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    area_level: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[str] = mapped_column(Text)
