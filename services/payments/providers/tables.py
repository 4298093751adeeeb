"""Providers as ledger and instructions know them. Addresses and secrets stay in the settings."""

from sqlalchemy import BigInteger, Boolean, Identity, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class Provider(Base):
    """A provider's number, which is the short key on instructions, and its currency for good."""

    __tablename__ = "provider"

    number: Mapped[int] = mapped_column(SmallInteger, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    # What it charges for a payment, as the settings said last: both together.
    charge_fixed_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    charge_basis_points: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # Whether the list of providers that was published last names it.
    published: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    __table_args__ = (
        {"comment": "Mobile-money providers, taken from the settings when a process starts."},
    )
