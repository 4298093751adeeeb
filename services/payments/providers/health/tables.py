"""How providers answer, by all workers together. Instants are technical: of the database."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Integer, PrimaryKeyConstraint, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import Base


class ProviderHealth(Base):
    """When a provider answered last, and since when it does not."""

    __tablename__ = "provider_health"

    provider_number: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False
    )
    last_reply_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_failure_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # A code.
    last_failure: Mapped[str | None] = mapped_column(Text)
    # The first failure after the last reply.
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = ({"comment": "Whether a provider answers, as its workers saw it last."},)


class ProviderMinute(Base):
    """How often a provider answered, and did not, in one minute."""

    __tablename__ = "provider_minute"

    provider_number: Mapped[int] = mapped_column(SmallInteger)
    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    replies: Mapped[int] = mapped_column(Integer)
    failures: Mapped[int] = mapped_column(Integer)
    sent_minor: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        PrimaryKeyConstraint("provider_number", "minute"),
        {"comment": "Answers of a provider by the minute, and money that was sent to it."},
    )
