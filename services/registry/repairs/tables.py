"""What officers had announced again: entitlements by repairs, and whole chunks as they were."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class Repair(Base):
    """Why a run announces entitlements of its round again, and whose: of all, a chunk, or some."""

    __tablename__ = "repair"

    run_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.enrolment_run.id"), primary_key=True
    )
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    chunk_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.entitlement_chunk.id"))
    household_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    same_account: Mapped[bool] = mapped_column(Boolean)
    approval_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("registry.approval.id"))

    __table_args__ = (
        CheckConstraint("chunk_id IS NULL OR household_ids IS NULL", name="of_a_chunk_or_of_some"),
        {"comment": "Repairs: who had entitlements of a round announced again, whose, and why."},
    )


class Reannouncement(Base):
    """That a chunk was announced to payments once more, as it was."""

    __tablename__ = "reannouncement"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    chunk_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.entitlement_chunk.id"))
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    refusal: Mapped[str | None] = mapped_column(Text)
    """Why payments had refused it, if it had."""

    __table_args__ = (
        Index(None, "chunk_id"),
        {"comment": "Chunks that an officer had announced once more: who, when, and why."},
    )
