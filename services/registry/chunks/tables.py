"""Runs of enrolment, and the chunks in which they are worked, announced and settled."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.chunks.states import WAITING, ChunkStatus
from services.registry.database import SCHEMA, Base
from shared.tables import enum_column


class RunKind(StrEnum):
    """Why a run was made."""

    OPENING = "opening"
    WIDENING = "widening"
    ROUND = "round"
    REPAIR = "repair"
    FURTHER = "further"
    """Late registrants, or households by hand."""


class EnrolmentRun(Base):
    """One opening, widening, later round or repair: its chunks are announced, reserved as one."""

    __tablename__ = "enrolment_run"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind, "run_kind", SCHEMA))
    chunks_planned: Mapped[int] = mapped_column(Integer)
    chunks_done: Mapped[int] = mapped_column(Integer)
    planned_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Worked out, and above its activation's ceiling: payments hears of the chunks, not of the end.
    held_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approval_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))

    __table_args__ = (
        CheckConstraint("(held_at IS NULL) = (approval_id IS NULL)", name="held_for_someone"),
        Index(
            "enrolment_run_held_index",
            "held_at",
            "id",
            postgresql_where="held_at IS NOT NULL AND completed_at IS NULL",
        ),
        ForeignKeyConstraint(
            ["activation_id", "round"],
            ["registry.payment_round.activation_id", "registry.payment_round.number"],
        ),
        CheckConstraint("chunks_done BETWEEN 0 AND chunks_planned", name="chunks_done_counted"),
        Index(None, "activation_id", "round"),
        {"comment": "Runs of enrolment; payments reserves the total of a whole run or refuses it."},
    )


class EntitlementChunk(Base):
    """Communes of one province worked in one transaction, and announced as one chunk.

    ``announced`` is what its announcement said, and never changes. The other counts and sums are
    of its entitlements as they stand, kept with every change, so that progress is read from a few
    hundred rows: each is among ``unpayable``, ``excluded`` or ``payable``, and those ``payable``
    are ``paid``, ``failed``, ``refused``, or waiting. An entitlement belongs to the chunk that
    made it, its home, and stays there however often it is announced again; the chunks that do so,
    those of repairs, count their announcements and are in no sum over an activation or a round.
    """

    __tablename__ = "entitlement_chunk"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    enrolment_run_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.enrolment_run.id"))
    activation_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(SmallInteger)
    province_code: Mapped[str] = mapped_column(CODE, ForeignKey("registry.area.code"))
    area_codes: Mapped[list[str]] = mapped_column(ARRAY(CODE))
    first_round_chunk_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("registry.entitlement_chunk.id")
    )
    home_chunk_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("registry.entitlement_chunk.id")
    )
    """Of a repair's chunk: the one whose entitlements it announces again."""
    status: Mapped[ChunkStatus] = mapped_column(enum_column(ChunkStatus, "chunk_status", SCHEMA))
    planned_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    announced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    currency: Mapped[str] = mapped_column(Text)
    announced_count: Mapped[int] = mapped_column(Integer, default=0)
    announced_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    payable_count: Mapped[int] = mapped_column(Integer, default=0)
    payable_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    unpayable_count: Mapped[int] = mapped_column(Integer, default=0)
    unpayable_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    excluded_count: Mapped[int] = mapped_column(Integer, default=0)
    paid_count: Mapped[int] = mapped_column(Integer, default=0)
    paid_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    failed_count: Mapped[int] = mapped_column(Integer, default=0)
    failed_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refused_count: Mapped[int] = mapped_column(Integer, default=0)
    refused_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    first_paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refusal: Mapped[str | None] = mapped_column(Text)
    settlements_announced: Mapped[int] = mapped_column(Integer, default=0)
    settlements_applied: Mapped[int] = mapped_column(Integer, default=0)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    attempt_after: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(
            "(round = 1 OR home_chunk_id IS NOT NULL) = (first_round_chunk_id IS NULL)",
            name="later_round_has_first",
        ),
        CheckConstraint("settlements_applied <= settlements_announced", name="settlements_counted"),
        CheckConstraint(
            "paid_count + failed_count + refused_count <= payable_count",
            name="outcomes_within_payable",
        ),
        Index(None, "activation_id", "planned_at", "id"),
        Index(None, "home_chunk_id", postgresql_where="home_chunk_id IS NOT NULL"),
        Index(None, "enrolment_run_id"),
        Index(
            "entitlement_chunk_waiting_index",
            "status",
            "planned_at",
            "id",
            postgresql_where=f"status IN ({', '.join(repr(status.value) for status in WAITING)}) "
            "OR settlements_applied < settlements_announced",
        ),
        Index("entitlement_chunk_round_unique", "first_round_chunk_id", "round", unique=True),
        {"comment": "Chunks of entitlements: worked whole, announced whole, settled whole."},
    )


class PaymentCount(Base):
    """What payments counted last of a chunk that has payments open."""

    __tablename__ = "payment_count"

    chunk_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.entitlement_chunk.id"), primary_key=True
    )
    # When payments counted, by its machine's clock: what was counted before is not taken.
    counted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_count: Mapped[int] = mapped_column(Integer)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    failed_count: Mapped[int] = mapped_column(Integer)
    failed_minor: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        {
            "comment": "What payments counted last of a chunk, until its outcomes say it of each "
            "entitlement."
        },
    )
