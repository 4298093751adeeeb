"""Rules about who pays in whose place, and what they led to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.routing.states import RouteCause
from shared.tables import enum_column

_CAUSE = enum_column(RouteCause, "route_cause", SCHEMA)


class Route(Base):
    """One version of the rule about one provider. The latest is in force."""

    __tablename__ = "route"

    number: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    provider_number: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey(f"{SCHEMA}.provider.number")
    )
    version: Mapped[int] = mapped_column(Integer)
    # Codes, in the order in which they are tried.
    instead: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Empty: each pays what is its own.
    causes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    down_seconds: Mapped[int] = mapped_column(Integer)
    # Codes of rejections after which a further attempt goes the other way.
    rejections: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # What may go the other way by this version, and what has.
    maximum_minor: Mapped[int] = mapped_column(BigInteger)
    rerouted_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rerouted_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    reason: Mapped[str] = mapped_column(Text)
    approval_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey(f"{SCHEMA}.approval.id"))
    # Domain time.
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("provider_number", "version"),
        CheckConstraint("rerouted_minor <= maximum_minor", name="stays_below_its_maximum"),
        {"comment": "Who pays in a provider's place, and when: documents of two persons."},
    )


class Rerouting(Base):
    """That a payment goes by another provider than before, and why."""

    __tablename__ = "rerouting"

    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    from_provider_number: Mapped[int] = mapped_column(SmallInteger)
    to_provider_number: Mapped[int] = mapped_column(SmallInteger)
    cause: Mapped[RouteCause] = mapped_column(_CAUSE)
    # Null: no rule's doing.
    route_number: Mapped[int | None] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.route.number"))
    # Domain time.
    rerouted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        PrimaryKeyConstraint("instruction_id", "to_provider_number"),
        {"comment": "By whom a payment goes, where its account names another. Gains rows."},
    )


class AskedElsewhere(Base):
    """That every other provider that may have had a payment said that it does not know it."""

    __tablename__ = "asked_elsewhere"

    instruction_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # Of the event log: what was lost in a later one is asked about anew.
    epoch: Mapped[int] = mapped_column(Integer)
    # False: one of them may have forgotten it by then.
    is_certain: Mapped[bool] = mapped_column(Boolean)
    # Technical time.
    asked_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )

    __table_args__ = ({"comment": "What is not with another provider, after commits were lost."},)


class AskedFurther(Base):
    """That every provider that may have had a further attempt at a payment was asked about it."""

    __tablename__ = "asked_further"

    instruction_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # Of the event log: what was lost in a later one is asked about anew.
    epoch: Mapped[int] = mapped_column(Integer)
    # False: one of them cannot be asked, or may have forgotten it by then.
    is_certain: Mapped[bool] = mapped_column(Boolean)
    # Technical time.
    asked_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )

    __table_args__ = (
        {"comment": "Of what no further attempt is without its row, after commits were lost."},
    )
