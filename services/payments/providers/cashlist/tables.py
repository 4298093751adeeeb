"""Lists for people who pay by hand, their lines, and the results that were uploaded."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
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
from services.payments.providers.cashlist.states import LineOutcome, UploadStatus
from services.payments.settings.provider import PayoutPlace
from shared.tables import enum_column

_OUTCOME = enum_column(LineOutcome, "cash_line_outcome", SCHEMA)


class CashList(Base):
    """One list: its id is the batch's. What is printed of it never changes."""

    __tablename__ = "cash_list"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # By which it is called, counted at each provider.
    number: Mapped[int] = mapped_column(Integer)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    batch_number: Mapped[int] = mapped_column(Integer)
    # None: its lines were raised before areas were kept.
    area_code: Mapped[str | None] = mapped_column(Text)
    # As the gazetteer told it when the list was made: it is printed.
    area_name_en: Mapped[str | None] = mapped_column(Text)
    area_name_km: Mapped[str | None] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(Text)
    round: Mapped[int] = mapped_column(Integer)
    # As it was set when the list was made: it is printed.
    paid_at: Mapped[PayoutPlace] = mapped_column(enum_column(PayoutPlace, "payout_place", SCHEMA))
    currency: Mapped[str] = mapped_column(Text)
    line_count: Mapped[int] = mapped_column(Integer)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    # Days in the country's zone: made, the last for pay-out, and the first on which what was not
    # claimed goes back.
    made_on: Mapped[date] = mapped_column(Date)
    claim_by: Mapped[date] = mapped_column(Date)
    returns_on: Mapped[date] = mapped_column(Date)
    # Of the bytes of its CSV as it is issued: SHA-256 and Ed25519.
    content_digest: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    # How many times results were brought: approved, or unclaimed.
    bringings: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # When what was not claimed went back, or was found to be nothing. Domain time.
    returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("provider_number", "number"),
        CheckConstraint("line_count > 0", name="has_lines"),
        CheckConstraint("num_nulls(area_name_en, area_name_km) IN (0, 2)", name="name_is_whole"),
        CheckConstraint("made_on <= claim_by AND claim_by < returns_on", name="days_in_order"),
        Index(
            "cash_list_to_return_index", "returns_on", postgresql_where=text("returned_at IS NULL")
        ),
        {"comment": "Lists from which cash is paid out by hand. The id is the batch's."},
    )


class CashLine(Base):
    """One payment on a list, and what was said of it first."""

    __tablename__ = "cash_line"

    list_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(Integer)
    instruction_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    entitlement_id: Mapped[UUID] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    # The outcome that was brought first, and with which bringing: results are read in this order.
    outcome: Mapped[LineOutcome | None] = mapped_column(_OUTCOME)
    bringing: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)
    paid_on: Mapped[date | None] = mapped_column(Date)
    paper_reference: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("list_id", "number"),
        CheckConstraint("num_nulls(outcome, bringing) IN (0, 2)", name="outcome_is_whole"),
        Index(
            "cash_line_read_index",
            "list_id",
            "bringing",
            "number",
            postgresql_where=text("outcome IS NOT NULL"),
        ),
        {"comment": "The lines of lists. An instruction is on one list, ever."},
    )


class CashUpload(Base):
    """One file of results; its proposal is the approval with its id."""

    __tablename__ = "cash_upload"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    list_id: Mapped[UUID] = mapped_column(Uuid)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[UploadStatus] = mapped_column(
        enum_column(UploadStatus, "cash_upload_status", SCHEMA)
    )
    new_count: Mapped[int] = mapped_column(Integer)
    repeated_count: Mapped[int] = mapped_column(Integer)
    set_aside_count: Mapped[int] = mapped_column(Integer)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # When what it says against what was recorded before became an answer. Technical time.
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("cash_upload_list_index", "list_id", "id"),
        Index(
            "cash_upload_to_tell_index",
            "id",
            postgresql_where=text("status = 'approved' AND told_at IS NULL"),
        ),
        {"comment": "Results that were uploaded, for a second person to approve."},
    )


class CashUploadRow(Base):
    """One row of a file of results, with what it says or why it says nothing."""

    __tablename__ = "cash_upload_row"

    upload_id: Mapped[UUID] = mapped_column(Uuid)
    row: Mapped[int] = mapped_column(Integer)
    # Of which line of the list; null: it does not say.
    number: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[LineOutcome | None] = mapped_column(_OUTCOME)
    reason: Mapped[str | None] = mapped_column(Text)
    paid_on: Mapped[date | None] = mapped_column(Date)
    paper_reference: Mapped[str | None] = mapped_column(Text)
    # Not said before, when it was uploaded or, later, when it was approved.
    is_new: Mapped[bool] = mapped_column(Boolean)
    # Why it was set aside, as a code.
    fault: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("upload_id", "row"),
        CheckConstraint(
            "fault IS NOT NULL OR (number IS NOT NULL AND outcome IS NOT NULL)",
            name="says_something",
        ),
        CheckConstraint("NOT is_new OR fault IS NULL", name="new_is_readable"),
        {"comment": "The rows of uploaded results: taken, repeated, or set aside."},
    )
