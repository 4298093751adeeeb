"""Funds, and what their owners let them pay to one household, as payments said it last."""

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class Fund(Base):
    """A fund that schemes may pay from, with its owner's bound."""

    __tablename__ = "fund"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text)
    maximum_payment_minor: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        {
            "comment": "Funds with what their owners let them pay to one household, as payments "
            "told it last."
        },
    )
