"""Where money is recorded: accounts with their running balances, and the transfers themselves."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM

from services.payments.database import SCHEMA, metadata
from services.payments.ledger.accounts import AccountCode, Book, TransferCode

account_code = ENUM(*(code.value for code in AccountCode), name="account_code", schema=SCHEMA)
book = ENUM(*(book.value for book in Book), name="book", schema=SCHEMA)
transfer_code = ENUM(*(code.value for code in TransferCode), name="transfer_code", schema=SCHEMA)

account_table = Table(
    "account",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("code", account_code, nullable=False),
    Column("scope", Text, nullable=False),
    Column("book", book, nullable=False),
    Column("currency", Text, nullable=False),
    Column("overdraft_refused", Boolean, nullable=False),
    Column("debits_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_minor", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("code", "scope"),
    CheckConstraint(
        "NOT overdraft_refused OR debits_minor >= credits_minor", name="overdraft_refused"
    ),
    # A few hot rows, updated by every batch: room for their next versions on the same page.
    postgresql_with={"fillfactor": 25},
    comment="Ledger accounts. Balances are moved by the trigger on transfer and by nothing else.",
)

transfer_table = Table(
    "transfer",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("payment_instruction_id", Uuid),
    Column("amount_minor", BigInteger, nullable=False),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    # No foreign keys: the trigger that moves the balances refuses an account that is not there,
    # and a key's row lock for each transfer would queue everyone on the few hot accounts.
    Column("debit_account", Integer, nullable=False),
    Column("credit_account", Integer, nullable=False),
    Column("round_number", Integer),
    Column("code", transfer_code, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text),
    UniqueConstraint("payment_instruction_id", "code"),
    CheckConstraint("amount_minor > 0", name="amount_is_positive"),
    CheckConstraint("debit_account <> credit_account", name="accounts_differ"),
    Index(
        "transfer_round_reserved_once_index",
        "round_number",
        unique=True,
        postgresql_where=text("round_number IS NOT NULL"),
    ),
    comment="Double-entry: one row debits one account and credits another. It only gains rows.",
)
