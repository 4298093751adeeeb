"""Members of households, and the routine programmes that they are in."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from services.registry.households.tables import add_columns
from services.registry.members.shape import FOUND, MAXIMUM_MEMBER_NUMBER, OPEN, PROGRAMME_CODE
from shared.events.tables import TransactionId
from shared.schema.declaration import comes_with
from shared.tables import enum_column


class Leaving(StrEnum):
    """Why somebody is no member of a household any more."""

    MOVED = "moved"
    """To another household, where they are a row of their own; or away."""
    DIED = "died"
    SPLIT = "split"
    """With the part of the household that is one of its own now."""
    ERROR = "error"
    """They never were one: they left on the day on which they joined, and count on none."""


class Member(Base):
    """A person in a household, as long as they are one of it. A row ends, and is never deleted.

    Without a foreign key on the household, as ``enrolment``: members are stored with their
    household, whose id they are given from its row, and no role may delete one.
    """

    __tablename__ = "member"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    joined_on: Mapped[date | None] = mapped_column(Date)
    """None: as long as the household is known."""
    left_on: Mapped[date | None] = mapped_column(Date)
    """The first day on which they are none of it any more."""
    left_because: Mapped[Leaving | None] = mapped_column(
        enum_column(Leaving, "member_leaving", SCHEMA)
    )
    came_from: Mapped[UUID | None] = mapped_column(Uuid)
    """Who moved in from another household: the row that they were there."""
    member_number: Mapped[int] = mapped_column(SmallInteger)
    person_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    content_index: Mapped[bytes] = mapped_column(LargeBinary)
    registered_in: Mapped[int | None] = mapped_column(
        TransactionId(), server_default=text("pg_current_xact_id()")
    )
    """The transaction that added the row."""
    name_tokens: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), deferred=True)
    """Keyed hashes that they are found by, by name; none: not yet, or without a name."""

    __table_args__ = (
        CheckConstraint(
            f"member_number BETWEEN 1 AND {MAXIMUM_MEMBER_NUMBER}", name="number_bounded"
        ),
        CheckConstraint("left_on >= joined_on", name="leaves_after_joining"),
        CheckConstraint("(left_on IS NULL) = (left_because IS NULL)", name="left_for_a_reason"),
        CheckConstraint("pregnancy_due_on IS NULL OR sex = 'female'", name="pregnant_is_female"),
        Index(None, "name_tokens", postgresql_using="gin"),
        {"comment": "Members of households; content_index tells whether an import changes one."},
    )


add_columns(Member, OPEN)
for found in FOUND:
    assert found.found_by is not None
    setattr(Member, found.found_by.column, mapped_column(LargeBinary, nullable=True))
    Index(
        None,
        getattr(Member, found.found_by.column),
        postgresql_where=f"{found.found_by.column} IS NOT NULL",
    )

# What counts and rules ask of the members of a household is read from here alone.
Index(
    "member_household_id_member_number_unique",
    Member.household_id,
    Member.member_number,
    unique=True,
    postgresql_include=[
        "joined_on",
        "left_on",
        *(field.name for field in OPEN if field.name != "member_number"),
    ],
)

# What changes of a member changes its household too: whoever follows changes hears of it. The plan
# is kept, whether one member changed first or thousands: households are found by their key.
comes_with(
    Member.__table__,
    """
CREATE FUNCTION registry.mark_households_of_members() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE registry.household SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT household_id FROM after) AND changed_in <> pg_current_xact_id();
    RETURN NULL;
END
$$
""",
    """
CREATE TRIGGER member_changes_household AFTER UPDATE ON registry.member
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.mark_households_of_members()
""",
)


class Programme(Base):
    """A routine programme that pays or gives to persons by itself, shock or no shock."""

    __tablename__ = "programme"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name_en: Mapped[str] = mapped_column(Text)
    name_km: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(f"code ~ '^{PROGRAMME_CODE}$'", name="code_plain"),
        {"comment": "Routine programmes, which members of households may be in."},
    )


class ProgrammeMembership(Base):
    """Somebody in a routine programme, from one day to another."""

    __tablename__ = "programme_membership"

    member_id: Mapped[UUID] = mapped_column(Uuid)
    programme_code: Mapped[str] = mapped_column(Text, ForeignKey("registry.programme.code"))
    number: Mapped[int] = mapped_column(SmallInteger)
    """Counts the times that they were in it, from 1."""
    since: Mapped[date | None] = mapped_column(Date)
    """None: as long as they are known."""
    until: Mapped[date | None] = mapped_column(Date)
    """The first day on which they are not in it any more."""

    __table_args__ = (
        PrimaryKeyConstraint("member_id", "programme_code", "number"),
        CheckConstraint("until >= since", name="ends_after_it_began"),
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        {"comment": "Which routine programmes members are in, and were in."},
    )
