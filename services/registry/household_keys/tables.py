"""What each household's persons are sealed with, besides the service's key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, LargeBinary, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class HouseholdKey(Base):
    """Random material of one household: without it nobody opens who its members are, or were.

    Kept apart from all that it protects, so that copies of this table can be kept for a shorter
    time than those of the rest. Without a foreign key, so that each is restored by itself. Once
    destroyed it stays so: by the row that is left nobody seals the household anew, and whoever
    reads a restored copy of it knows that it is erased.
    """

    __tablename__ = "household_key"

    household_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    material: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    destroyed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("num_nulls(material, destroyed_at) = 1", name="there_or_destroyed"),
        CheckConstraint("octet_length(material) = 32", name="material_whole"),
        {
            "comment": "What each household's persons are sealed with; destroyed by its erasure.",
            # What was destroyed is to leave the table's file soon.
            "postgresql_with": {
                "autovacuum_vacuum_threshold": 0,
                "autovacuum_vacuum_scale_factor": 0,
            },
        },
    )
