"""Imports of households, and the rows of theirs that were not taken."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Integer, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from shared.tables import enum_column


class ImportStatus(StrEnum):
    """Where an import stands."""

    CREATED = "created"
    RECEIVING = "receiving"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"


class HouseholdImport(Base):
    """A file of households, sent once or several times; the counts are of the last sending."""

    __tablename__ = "household_import"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    status: Mapped[ImportStatus] = mapped_column(enum_column(ImportStatus, "import_status", SCHEMA))
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # Who sent it last; the announcement may be another's.
    sent_by: Mapped[str | None] = mapped_column(Text)
    begun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rows_read: Mapped[int] = mapped_column(Integer, default=0)
    households_added: Mapped[int] = mapped_column(Integer, default=0)
    households_changed: Mapped[int] = mapped_column(Integer, default=0)
    households_unchanged: Mapped[int] = mapped_column(Integer, default=0)
    rows_rejected: Mapped[int] = mapped_column(Integer, default=0)
    stopped_at_line: Mapped[int | None] = mapped_column(Integer)
    accounts_changed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Accounts of known households that the sender changed alone."""

    __table_args__ = (
        CheckConstraint(
            "rows_read = rows_rejected + "
            "households_added + households_changed + households_unchanged",
            name="rows_add_up",
        ),
        {"comment": "Imports of households, with the counts of the last sending."},
    )


class ImportRejection(Base):
    """A row that was not taken, and why; never what it said."""

    __tablename__ = "import_rejection"

    import_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.household_import.id"), primary_key=True
    )
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    column: Mapped[str] = mapped_column("column_name", Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"comment": "Rejected rows of the last sending; no personal data."},)
