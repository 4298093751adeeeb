"""Households whose place an edition changed: where they followed to, or that it is open."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.database import Base


class HouseholdFollowing(Base):
    """What an edition meant for one household. Without ``to_code`` a person has to place it: it
    stays where it stood, in one of ``choices`` as they are called now."""

    __tablename__ = "household_following"

    household_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.household.id"), primary_key=True
    )
    edition: Mapped[str] = mapped_column(
        Text, ForeignKey("registry.gazetteer_edition.code"), primary_key=True
    )
    from_code: Mapped[str] = mapped_column(CODE)
    from_village: Mapped[str | None] = mapped_column(CODE)
    choices: Mapped[list[str]] = mapped_column(ARRAY(CODE))
    to_code: Mapped[str | None] = mapped_column(CODE)
    to_village: Mapped[str | None] = mapped_column(CODE)
    followed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # Who placed it, where the edition could not.
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by_someone"),
        Index(
            "household_following_open_index",
            "from_code",
            "household_id",
            postgresql_where="to_code IS NULL",
        ),
        {
            "comment": "Households whose place an edition changed: where they followed to, or "
            "that it is open."
        },
    )
