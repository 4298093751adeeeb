"""Rounds of an enrolment: the gate between instructions that are ready and their dispatch."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.rounds.states import WAITING, RoundStatus
from services.payments.statements import among
from shared.tables import enum_column


class PaymentRound(Base):
    """One round of one enrolment, and what it has to add up to."""

    __tablename__ = "payment_round"

    number: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    enrolment_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(Integer)
    # 0 is the round as the registry completed it; others are chunks that it announced again.
    supplement: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    scheme: Mapped[str] = mapped_column(Text)
    fund: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str | None] = mapped_column(Text)
    # The line of the fund that it is booked on; null: on none.
    budget_line: Mapped[str | None] = mapped_column(Text)
    chunk_count: Mapped[int | None] = mapped_column(Integer)
    entitlement_count: Mapped[int | None] = mapped_column(Integer)
    total_minor: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[RoundStatus] = mapped_column(enum_column(RoundStatus, "round_status", SCHEMA))
    reason: Mapped[str | None] = mapped_column(Text)
    reserved_minor: Mapped[int | None] = mapped_column(BigInteger)
    announced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("enrolment_id", "round", "supplement"),
        Index("payment_round_activation_index", "activation_id"),
        Index(
            "payment_round_waiting_index",
            "number",
            postgresql_where=text(f"status IN ({among(WAITING)})"),
        ),
        {
            "comment": "One round of one enrolment. Only instructions of released rounds are "
            "dispatched."
        },
    )
