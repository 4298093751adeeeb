"""The providers that payments can send to, as it said last."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class Provider(Base):
    """A provider that an account may be at."""

    __tablename__ = "provider"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, comment="ISO 4217: what it pays out.")

    __table_args__ = ({"comment": "Providers as payments told them; empty: it told of none yet."},)
