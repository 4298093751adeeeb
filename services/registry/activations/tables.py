"""Activations as the registry knows them: what opened, where, by which scheme it pays, and when."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.database import Base


class Activation(Base):
    """An activation that triggers announced, with the scheme version that held when it opened.

    As long as nobody can be enrolled for it, ``not_enrolled`` says why, and it has no version.
    """

    __tablename__ = "activation"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    trigger: Mapped[str] = mapped_column(Text)
    trigger_version: Mapped[int] = mapped_column(Integer)
    scheme_code: Mapped[str] = mapped_column(Text)
    scheme_version: Mapped[int | None] = mapped_column(Integer)
    shock: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    areas: Mapped[list[str]] = mapped_column(ARRAY(CODE))
    area_filter: Mapped[str | None] = mapped_column(Text)
    observed_on: Mapped[date] = mapped_column(Date)
    opened_on: Mapped[date] = mapped_column(Date)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    not_enrolled: Mapped[str | None] = mapped_column(Text)
    areas_refused: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    cancelled_on: Mapped[date | None] = mapped_column(Date)
    # One that opened before there were ceilings has none; without a number nothing is let through.
    has_ceiling: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    ceiling_households: Mapped[int | None] = mapped_column(Integer)
    ceiling_minor: Mapped[int | None] = mapped_column(BigInteger)
    # What two persons let through here, above it.
    allowed_households: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    allowed_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    __table_args__ = (
        ForeignKeyConstraint(
            ["scheme_code", "scheme_version"],
            ["registry.scheme_version.code", "registry.scheme_version.version"],
        ),
        CheckConstraint(
            "(scheme_version IS NULL) = (not_enrolled IS NOT NULL)", name="enrolled_by_a_version"
        ),
        {"comment": "Activations; areas are those named when it opened and when it was widened."},
    )


class ActivationCommune(Base):
    """A commune that an activation reaches. The key is what makes a widening enrol only the new."""

    __tablename__ = "activation_commune"

    activation_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.activation.id"), primary_key=True
    )
    area_code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"), primary_key=True)
    enrolment_run_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.enrolment_run.id"))
    # The number of the gazetteer's edition by which it was reached: a later one may have brought
    # others into it.
    edition: Mapped[int] = mapped_column(Integer, server_default=text("1"))

    __table_args__ = ({"comment": "Communes reached by an activation, each once."},)


class PaymentRound(Base):
    """A round of an activation: the first is paid at once, later ones when an officer releases."""

    __tablename__ = "payment_round"

    activation_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.activation.id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    due_on: Mapped[date] = mapped_column(Date)
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    released_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)", name="released_by_someone"
        ),
        {"comment": "Rounds by due date; nothing of a round is owed before it is released."},
    )
