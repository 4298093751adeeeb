"""Where money is recorded: accounts with their running balances, and the transfers themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.ledger.accounts import AccountCode, Book, TransferCode
from shared.tables import enum_column


class Account(Base):
    """One account of the chart, with its running balance."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    code: Mapped[AccountCode] = mapped_column(enum_column(AccountCode, "account_code", SCHEMA))
    scope: Mapped[str] = mapped_column(Text)
    book: Mapped[Book] = mapped_column(enum_column(Book, "book", SCHEMA))
    currency: Mapped[str] = mapped_column(Text)
    overdraft_refused: Mapped[bool] = mapped_column(Boolean)
    debits_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    credits_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    __table_args__ = (
        UniqueConstraint("code", "scope"),
        CheckConstraint(
            "NOT overdraft_refused OR debits_minor >= credits_minor", name="overdraft_refused"
        ),
        {
            # A few hot rows, updated by every batch: room for their next versions on the same page.
            "postgresql_with": {"fillfactor": 25},
            "comment": "Ledger accounts. Balances are moved by the trigger on transfer and by "
            "nothing else.",
        },
    )


class JournalEntry(Base):
    """What was booked together, by whom and when."""

    __tablename__ = "journal_entry"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        {
            "comment": "What was booked together. Its lines are the moves of instructions, and its "
            "transfers the sums of their shares. It only gains rows."
        },
    )


class Transfer(Base):
    """One row that debits one account and credits another."""

    __tablename__ = "transfer"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    # Of what is posted for one payment alone: a further attempt.
    payment_instruction_id: Mapped[UUID | None] = mapped_column(Uuid)
    # Of what moves of instructions post: they are its lines, and their shares come to its amount.
    entry_number: Mapped[int | None] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # No foreign keys: the trigger that moves the balances refuses an account that is not there,
    # and a key's row lock for each transfer would queue everyone on the few hot accounts.
    debit_account: Mapped[int] = mapped_column(Integer)
    credit_account: Mapped[int] = mapped_column(Integer)
    round_number: Mapped[int | None] = mapped_column(Integer)
    code: Mapped[TransferCode] = mapped_column(enum_column(TransferCode, "transfer_code", SCHEMA))
    currency: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    # Who had it posted, of what no instruction and no round does by itself.
    posted_by: Mapped[str | None] = mapped_column(Text)
    # By which two persons, where money came in, was tried again or was let go by them. No foreign
    # key: its check would be queued for each of the many transfers that have none.
    approval_id: Mapped[UUID | None] = mapped_column(Uuid)

    __table_args__ = (
        Index(
            "transfer_of_a_payment_once_index",
            "payment_instruction_id",
            "code",
            "debit_account",
            unique=True,
            postgresql_where=text("payment_instruction_id IS NOT NULL"),
        ),
        Index(
            "transfer_of_an_entry_once_index",
            "entry_number",
            "code",
            "debit_account",
            "credit_account",
            unique=True,
            postgresql_where=text("entry_number IS NOT NULL"),
        ),
        CheckConstraint(
            "payment_instruction_id IS NULL OR entry_number IS NULL", name="has_one_source"
        ),
        Index("transfer_time_index", "posted_at", "id"),
        # Balances at a past moment.
        Index(
            "transfer_debit_index",
            "debit_account",
            "posted_at",
            postgresql_include=["amount_minor"],
        ),
        Index(
            "transfer_credit_index",
            "credit_account",
            "posted_at",
            postgresql_include=["amount_minor"],
        ),
        CheckConstraint("amount_minor > 0", name="amount_is_positive"),
        CheckConstraint("debit_account <> credit_account", name="accounts_differ"),
        Index(
            "transfer_round_reserved_once_index",
            "round_number",
            "debit_account",
            unique=True,
            postgresql_where=text("round_number IS NOT NULL"),
        ),
        Index(
            "transfer_approved_once_index",
            "approval_id",
            "code",
            "debit_account",
            "credit_account",
            unique=True,
            postgresql_where=text("approval_id IS NOT NULL"),
        ),
        {
            "comment": "Double-entry: one row debits one account and credits another. It only "
            "gains rows."
        },
    )
