"""Payment instructions and the history of their moves."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM

from services.payments.database import SCHEMA, metadata
from services.payments.instructions.states import EXCLUSIVE, IN_FLIGHT, Status

instruction_status = ENUM(
    *(status.value for status in Status),
    name="instruction_status",
    schema=SCHEMA,
)


def _one_of(statuses: tuple[Status, ...]) -> str:
    return ", ".join(f"'{status}'" for status in statuses)


# Lean on purpose, widest columns first: 700,000 rows are born in one activation. Round, fund,
# currency and activation are the chunk's. There is no foreign key to chunk or provider: rows are
# born in one statement that joins both, and neither is ever deleted.
instruction_table = Table(
    "instruction",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("entitlement_id", Uuid, nullable=False),
    Column("household_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("chunk_number", Integer, nullable=False),
    Column("status", instruction_status, nullable=False),
    Column("provider_number", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False, server_default=text("1")),
    Column("moves", SmallInteger, nullable=False, server_default=text("0")),
    # How often it was asked for since the provider last told us something new.
    Column("inquiries", SmallInteger, nullable=False, server_default=text("0")),
    # Technical time: a lease, or when to ask next.
    Column("next_action_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    # Domain time.
    Column("finished_at", DateTime(timezone=True)),
    Column("server_correlation_id", Uuid),
    Column("account_sealed", LargeBinary, nullable=False),
    Column("transaction_reference", Text),
    Column("reason", Text),
    Index(
        "instruction_one_for_an_entitlement_index",
        "entitlement_id",
        unique=True,
        postgresql_where=text(f"status IN ({_one_of(EXCLUSIVE)})"),
    ),
    Index(
        "instruction_ended_unpaid_index",
        "entitlement_id",
        postgresql_where=text("status IN ('rejected', 'held', 'returned', 'cancelled')"),
    ),
    Index("instruction_chunk_index", "chunk_number", "status", "provider_number"),
    Index(
        "instruction_due_index",
        "next_action_at",
        postgresql_where=text(f"status IN ({_one_of(IN_FLIGHT)})"),
    ),
    comment="One attempt to pay one entitlement; the id is the correlation id at the provider.",
)

instruction_move_table = Table(
    "instruction_move",
    metadata,
    Column("instruction_id", Uuid, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("from_status", instruction_status, nullable=False),
    Column("to_status", instruction_status, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    PrimaryKeyConstraint("instruction_id", "position"),
    comment="Who moved an instruction, when and why. It only gains rows.",
)
