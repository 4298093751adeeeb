"""Budget lines: what parts of a fund are for, and how much each may come to."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, PrimaryKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base


class BudgetLine(Base):
    """A line of a fund. What is committed and spent on it are ledger accounts."""

    __tablename__ = "budget_line"

    fund: Mapped[str] = mapped_column(Text, ForeignKey(f"{SCHEMA}.fund.code"))
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    ceiling_minor: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        PrimaryKeyConstraint("fund", "code"),
        CheckConstraint("ceiling_minor >= 0", name="ceiling_is_not_negative"),
        {
            "comment": "Lines of funds. The fund's code, a slash and the line's are the scope of "
            "its ledger accounts."
        },
    )
