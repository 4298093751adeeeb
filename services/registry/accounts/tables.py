"""Accounts that were asked for, and that do not hold before a second person has decided."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class AccountChange(Base):
    """An account that a known household is to have: its id is the account's, once it has it.

    ``batch_id`` is the id of the proposal. Of an import it is chosen before the first row, so that
    rows are written once: those of a sending that needed nobody, or that broke off, have no
    proposal. ``content_index`` is of the import's row, and the household's from then on.
    """

    __tablename__ = "account_change"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(Uuid)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    provider_code: Mapped[str] = mapped_column(Text)
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    account_index: Mapped[bytes] = mapped_column(LargeBinary)
    content_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index(None, "batch_id", "household_id"),
        {
            "comment": "Accounts that were asked for and do not hold by themselves, sealed; see "
            "account_batch."
        },
    )


class AccountBatch(Base):
    """The account changes of one sending of an import: proposed as one, made by the worker."""

    __tablename__ = "account_batch"

    id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.approval.id"), primary_key=True)
    import_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.household_import.id"))
    households: Mapped[int] = mapped_column(Integer)
    enrolled: Mapped[int] = mapped_column(Integer)
    changed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    done_up_to: Mapped[UUID | None] = mapped_column(Uuid)
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(
            "finished_at IS NULL OR approved_at IS NOT NULL", name="finished_once_approved"
        ),
        Index(None, "import_id"),
        Index(
            "account_batch_unfinished_index",
            "approved_at",
            postgresql_where="approved_at IS NOT NULL AND finished_at IS NULL",
        ),
        {
            "comment": "Account changes of an import that wait for a second person, or were made "
            "since."
        },
    )
