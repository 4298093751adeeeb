"""Statements of providers: what they say line by line, and in what our books differ."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.reconciliation.kinds import (
    IN_SUSPENSE,
    Closure,
    DifferenceKind,
    Direction,
    StatementFormat,
)
from services.payments.statements import among
from shared.documents import DocumentVersion
from shared.tables import enum_column


class StatementMapping(DocumentVersion, Base):
    """One version of how a provider's CSV is read; the highest is in force."""

    __tablename__ = "statement_mapping"


class Statement(Base):
    """One file of a provider about one day."""

    __tablename__ = "statement"

    number: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[date] = mapped_column(Date)
    format: Mapped[StatementFormat] = mapped_column(
        enum_column(StatementFormat, "statement_format", SCHEMA)
    )
    # By which version of the provider's columns it was read; none: its format needs none.
    mapping_version: Mapped[int | None] = mapped_column(Integer)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the file.")
    currency: Mapped[str] = mapped_column(Text)
    line_count: Mapped[int] = mapped_column(Integer)
    set_aside_count: Mapped[int] = mapped_column(Integer)
    out_count: Mapped[int] = mapped_column(Integer)
    out_minor: Mapped[int] = mapped_column(BigInteger)
    in_count: Mapped[int] = mapped_column(Integer)
    in_minor: Mapped[int] = mapped_column(BigInteger)
    # What it says itself, where it does.
    opening_minor: Mapped[int | None] = mapped_column(BigInteger)
    closing_minor: Mapped[int | None] = mapped_column(BigInteger)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    superseded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("provider_number", "day", "content_digest"),
        Index(
            "statement_current_index",
            "provider_number",
            "day",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
        CheckConstraint(
            "num_nulls(superseded_by, superseded_at) IN (0, 2)", name="superseded_is_whole"
        ),
        {"comment": "What providers say of a day, as files. One is current for each day."},
    )


class StatementLine(Base):
    """One line of a statement: 700,000 rows where a country was paid on one day.

    Nobody's account or name: what else stands on the line is not kept.
    """

    __tablename__ = "statement_line"

    # Which payment of ours it is, by our id on it or by the provider's reference.
    payment_id: Mapped[UUID | None] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    balance_minor: Mapped[int | None] = mapped_column(BigInteger)
    booked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    statement_number: Mapped[int] = mapped_column(Integer)
    line: Mapped[int] = mapped_column(Integer)
    direction: Mapped[Direction] = mapped_column(
        enum_column(Direction, "statement_direction", SCHEMA)
    )
    reference: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("statement_number", "line"),
        # What came in is little beside what was paid.
        Index(
            "statement_line_received_index", "reference", postgresql_where=text("direction = 'in'")
        ),
        {"comment": "Lines of statements that could be read. They only gain rows."},
    )


class StatementFault(Base):
    """One line that could not be read, and why; never what it said."""

    __tablename__ = "statement_fault"

    statement_number: Mapped[int] = mapped_column(Integer)
    line: Mapped[int] = mapped_column(Integer)
    field: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("statement_number", "line"),
        {"comment": "Lines of statements that were set aside, each with its reason."},
    )


class StatementDifference(Base):
    """One thing in which a statement and our books differ, until it has its end."""

    __tablename__ = "statement_difference"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # Of what only our books say: which payment; of what only the statement says: nothing.
    payment_id: Mapped[UUID | None] = mapped_column(Uuid)
    # What the statement says and what our books do, where either says something.
    statement_minor: Mapped[int | None] = mapped_column(BigInteger)
    ledger_minor: Mapped[int | None] = mapped_column(BigInteger)
    # How much of it is in SUSPENSE now.
    suspense_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # When the line was given on as the provider's answer.
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    assigned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approval_id: Mapped[UUID | None] = mapped_column(Uuid)
    statement_number: Mapped[int] = mapped_column(Integer)
    line: Mapped[int | None] = mapped_column(Integer)
    # Which other statement explained it: where that is superseded, it is open again.
    explained_by: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[DifferenceKind] = mapped_column(
        enum_column(DifferenceKind, "difference_kind", SCHEMA)
    )
    closure: Mapped[Closure | None] = mapped_column(
        enum_column(Closure, "difference_closure", SCHEMA)
    )
    reference: Mapped[str | None] = mapped_column(Text)
    assigned_to: Mapped[str | None] = mapped_column(Text)
    assigned_by: Mapped[str | None] = mapped_column(Text)
    closed_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("num_nulls(closed_at, closure) IN (0, 2)", name="closed_is_whole"),
        CheckConstraint(
            "num_nulls(assigned_to, assigned_by, assigned_at) IN (0, 3)", name="assigned_is_whole"
        ),
        CheckConstraint(
            "suspense_minor = 0 OR (suspense_minor > 0 AND closed_at IS NULL "
            f"AND kind IN ({among(IN_SUSPENSE)}))",
            name="suspense_is_open",
        ),
        Index("statement_difference_statement_index", "statement_number", "number"),
        Index(
            "statement_difference_open_index",
            "number",
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "statement_difference_explained_index",
            "explained_by",
            postgresql_where=text("explained_by IS NOT NULL"),
        ),
        Index(
            "statement_difference_payment_index",
            "payment_id",
            postgresql_where=text("payment_id IS NOT NULL"),
        ),
        {"comment": "In what statements and our books differ, until each has its end."},
    )
