"""What the registry said once and for all."""

from datetime import datetime

from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base


class KnownArea(Base):
    """An area that is in the gazetteer, which only ever gains some: nobody has to ask again."""

    __tablename__ = "known_area"
    __table_args__ = ({"comment": "Areas of which the registry said that they are there."},)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
