"""Imports of households, and the rows of theirs that were not taken."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.areas.tables import CODE
from services.registry.database import SCHEMA, Base
from services.registry.imports.files.format import FileFormat
from services.registry.imports.mapping.document import RowsOf
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
    rows_of: Mapped[RowsOf] = mapped_column(
        enum_column(RowsOf, "import_rows_of", SCHEMA), server_default=text("'households'")
    )

    __table_args__ = (
        CheckConstraint(
            "rows_of = 'members' OR rows_read = rows_rejected + "
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


class TemplateFormat(StrEnum):
    """What an empty file is given as."""

    CSV = "csv"
    XLSX = "xlsx"


class AreaLevel(StrEnum):
    """By which areas a reading is summed up."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"

    @property
    def digits(self) -> int:
        """Of the codes of such areas."""
        return {AreaLevel.PROVINCE: 2, AreaLevel.DISTRICT: 4, AreaLevel.COMMUNE: 6}[self]


class RunKind(StrEnum):
    """Whether a reading changes anything."""

    DRY_RUN = "dry-run"
    IMPORT = "import"


class RunStatus(StrEnum):
    """Where a reading of a file stands."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    """For what the file is; what was stored before stays."""
    REFUSED = "refused"
    """It was to be all or nothing, and a row is bad: nothing is stored."""


class ImportFile(Base):
    """The file of an import: how it is read, and what was seen of it, sealed."""

    __tablename__ = "import_file"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    import_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.household_import.id"), unique=True
    )
    format: Mapped[FileFormat] = mapped_column(enum_column(FileFormat, "import_format", SCHEMA))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the whole."""
    piece_count: Mapped[int] = mapped_column(Integer)
    seen_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mapping_name: Mapped[str | None] = mapped_column(Text)
    mapped_by: Mapped[str | None] = mapped_column(Text)
    """None: the mapping is proposed, or kept from an earlier file."""
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    received_by: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        {"comment": "Files that imports are read from, with what was seen of each, sealed."},
    )


class ImportPiece(Base):
    """A piece of a file; those of a file whose receipt was cut off belong to no file."""

    __tablename__ = "import_piece"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    file_id: Mapped[UUID] = mapped_column(Uuid)
    import_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household_import.id"))
    number: Mapped[int] = mapped_column(Integer)
    piece_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("file_id", "number", name="import_piece_file_id_number_unique"),
        Index(None, "import_id"),
        {"comment": "The pieces of files, compressed and sealed; kept for a time."},
    )


class ImportRun(Base):
    """One reading of a file."""

    __tablename__ = "import_run"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    """Of the changes of accounts that it brings, too."""
    import_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household_import.id"))
    file_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind, "import_run_kind", SCHEMA))
    all_or_nothing: Mapped[bool] = mapped_column(Boolean)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """As it was when the run was asked for."""
    status: Mapped[RunStatus] = mapped_column(enum_column(RunStatus, "import_run_status", SCHEMA))
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    begun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Of all or nothing: when the first reading, which stores nothing, found no bad row."""
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    line_done: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Up to where everything is committed: a process that takes over goes on behind it."""
    share_done: Mapped[float] = mapped_column(Float, server_default=text("0"))
    seconds: Mapped[float] = mapped_column(Float, server_default=text("0"))
    rows_read: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_bad: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    households_added: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    households_changed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    households_unchanged: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    members_added: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    members_changed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    members_unchanged: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    members_left: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Who is no member any more, and stays so whatever a file says."""
    stopped_because: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "import_run_active_unique",
            "import_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index(None, "import_id", "id"),
        {"comment": "Readings of a file, dry or not: how far each is, and what came of it."},
    )


class ImportArea(Base):
    """What a reading found in one commune."""

    __tablename__ = "import_area"

    run_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.import_run.id"), primary_key=True
    )
    area_code: Mapped[str] = mapped_column(CODE, primary_key=True)
    households_added: Mapped[int] = mapped_column(Integer)
    households_changed: Mapped[int] = mapped_column(Integer)
    households_unchanged: Mapped[int] = mapped_column(Integer)
    rows_bad: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        {"comment": "What a reading found by commune; the empty code: rows without a known one."},
    )


class ImportNote(Base):
    """How often a reading put something right, or passed it over."""

    __tablename__ = "import_note"

    run_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("registry.import_run.id"), primary_key=True
    )
    column: Mapped[str] = mapped_column("column_name", Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    rows: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        {"comment": "What a reading put right or passed over, by column; no personal data."},
    )


class ImportMapping(Base):
    """A mapping that is kept."""

    __tablename__ = "import_mapping"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    rows_of: Mapped[RowsOf] = mapped_column(enum_column(RowsOf, "import_rows_of", SCHEMA))
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = ({"comment": "Mappings kept by name, for the next file of the same kind."},)
