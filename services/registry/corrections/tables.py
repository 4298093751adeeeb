"""What persons correct of members, and what waits for a second person."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base
from services.registry.households.tables import add_columns
from services.registry.members.shape import FOUND, OPEN


class MemberChange(Base):
    """A member as they are to be: added, or corrected. Its id is the proposal's, if it waits.

    It is the whole row of the member, sealed as the member's is: whoever carries it out copies it.
    """

    __tablename__ = "member_change"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    member_id: Mapped[UUID] = mapped_column(Uuid)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    alone: Mapped[bool] = mapped_column(Boolean)
    """Whether one person made it: they may do so often a day."""
    member_number: Mapped[int] = mapped_column(SmallInteger)
    joined_on: Mapped[date | None] = mapped_column(Date)
    programmes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    person_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    content_index: Mapped[bytes] = mapped_column(LargeBinary)
    name_tokens: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    was_content_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of the member as they were when it was asked for; None: they are added."""

    __table_args__ = (
        CheckConstraint("NOT alone OR made_at IS NOT NULL", name="alone_is_made"),
        Index("member_change_alone_index", "asked_by", "made_at", postgresql_where="alone"),
        Index(None, "household_id"),
        {"comment": "Members who were added or corrected by a person, sealed as they are to be."},
    )


add_columns(MemberChange, OPEN)
for found in FOUND:
    assert found.found_by is not None
    setattr(MemberChange, found.found_by.column, mapped_column(LargeBinary, nullable=True))
