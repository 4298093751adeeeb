"""Erasures of all households that were due, which two persons decide as one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class ErasureBatch(Base):
    """One erasure of many: proposed as one, carried out by the worker. Its id is the proposal's.

    The instants are those of the rule when it was proposed: it still has to hold then.
    """

    __tablename__ = "erasure_batch"

    id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.approval.id"), primary_key=True)
    archived_before: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_before: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    done_up_to: Mapped[UUID | None] = mapped_column(Uuid)
    households: Mapped[int] = mapped_column(Integer)
    erased: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    passed_over: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """For whom the rule does not hold any more: restored, or something is under way again."""

    __table_args__ = (
        CheckConstraint(
            "finished_at IS NULL OR approved_at IS NOT NULL", name="finished_once_approved"
        ),
        CheckConstraint(
            "erased >= 0 AND passed_over >= 0 AND erased + passed_over <= households",
            name="counts_within",
        ),
        Index(
            "erasure_batch_unfinished_index",
            "approved_at",
            postgresql_where="approved_at IS NOT NULL AND finished_at IS NULL",
        ),
        {"comment": "Erasures of all households that were due, which two persons decide as one."},
    )


class ErasurePlanned(Base):
    """A household that was due when its erasure was proposed: the second person saw those."""

    __tablename__ = "erasure_planned"

    batch_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.erasure_batch.id"))
    household_id: Mapped[UUID] = mapped_column(Uuid)

    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "household_id"),
        {"comment": "Which households were due when their erasure was proposed."},
    )
