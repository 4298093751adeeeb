"""Households taken into an activation, and the runs that take them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE, one_of
from services.registry.database import Base


class RunKind(StrEnum):
    """Why a run was made."""

    OPENING = "opening"
    WIDENING = "widening"
    ROUND = "round"


class EnrolmentRun(Base):
    """One opening, widening or later round: its chunks are announced, and reserved as one."""

    __tablename__ = "enrolment_run"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[RunKind] = mapped_column(Text)
    chunks_planned: Mapped[int] = mapped_column(Integer)
    chunks_done: Mapped[int] = mapped_column(Integer)
    planned_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        ForeignKeyConstraint(
            ["activation_id", "round"],
            ["registry.payment_round.activation_id", "registry.payment_round.number"],
        ),
        CheckConstraint(one_of("kind", RunKind), name="kind_known"),
        CheckConstraint("chunks_done BETWEEN 0 AND chunks_planned", name="chunks_done_counted"),
        Index(None, "activation_id", "round"),
        {"comment": "Runs of enrolment; payments reserves the total of a whole run or refuses it."},
    )


class Enrolment(Base):
    """A household in an activation: what it was like then, and what it gets in each round.

    Without foreign keys, as is ``entitlement``: only one set-based statement writes these tables,
    from the very rows that a key would look up again one by one, and no role may delete those.
    """

    __tablename__ = "enrolment"

    household_id: Mapped[UUID] = mapped_column(Uuid)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    benefit_case: Mapped[int] = mapped_column(SmallInteger)
    members: Mapped[int] = mapped_column(SmallInteger)
    children_0_5: Mapped[int] = mapped_column(SmallInteger)
    pregnant: Mapped[int] = mapped_column(SmallInteger)
    disabled: Mapped[int] = mapped_column(SmallInteger)
    elderly_60: Mapped[int] = mapped_column(SmallInteger)
    area_code: Mapped[str] = mapped_column(CODE)

    __table_args__ = (
        # The household first: households of a commune lie together, and so do their keys.
        PrimaryKeyConstraint("household_id", "activation_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        {"comment": "Enrolled households, with the features that the amount was worked out from."},
    )
