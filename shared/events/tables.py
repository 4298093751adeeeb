"""Tables of the event log: the log itself, and what each consumer's service keeps about it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from shared.database import NAMING_CONVENTION
from shared.schema.declaration import comes_with

SCHEMA = "events"

metadata = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, ``xid8``."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


epoch_table = Table(
    "epoch",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("system_identifier", BigInteger, nullable=False),
    Column("timeline", Integer, nullable=False),
    Column("begun_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    comment="An epoch begins where commits may have been lost, or transaction ids begin anew.",
)

comes_with(
    epoch_table,
    # A server that is not promoted yet lags behind, which holds back more than is needed.
    """
    CREATE FUNCTION events.timeline() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE
            WHEN pg_is_in_recovery()
            THEN (SELECT timeline_id FROM pg_control_checkpoint())
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
        END;
    END
    """,
    # Rises with the timeline by itself, before anyone has noticed and kept a row of it.
    """
    CREATE FUNCTION events.current_epoch() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT greatest(
            latest.number,
            latest.number + events.timeline()
            - CASE WHEN latest.system_identifier = here.system_identifier
                   THEN latest.timeline ELSE 0 END
        )
        FROM events.epoch AS latest, pg_control_system() AS here
        ORDER BY latest.number DESC
        LIMIT 1;
    END
    """,
    # The services' roles may call it, and cannot write the table otherwise.
    """
    CREATE FUNCTION events.begin_epoch() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path TO '' AS $$
    DECLARE
        current integer := events.current_epoch();
    BEGIN
        IF NOT current_setting('transaction_read_only')::boolean
            AND NOT EXISTS (SELECT FROM events.epoch WHERE number = current)
        THEN
            INSERT INTO events.epoch (number, system_identifier, timeline)
            SELECT current, here.system_identifier, events.timeline()
            FROM pg_control_system() AS here
            ON CONFLICT (number) DO NOTHING;
        END IF;
        RETURN current;
    END
    $$
    """,
)

event_table = Table(
    "event",
    metadata,
    Column("sequence", BigInteger, Identity(always=True), primary_key=True),
    Column("epoch", Integer, nullable=False, server_default=text("events.current_epoch()")),
    Column(
        "transaction_id",
        TransactionId(),
        nullable=False,
        server_default=text("pg_current_xact_id()"),
    ),
    Column("id", Uuid, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("data", JSONB, nullable=False),
    Index("event_order_index", "epoch", "transaction_id", "sequence"),
    comment="Append-only log of CloudEvents 1.0. Readers follow (epoch, transaction, sequence).",
)

# Its default calls what comes with the epochs.
event_table.add_is_dependent_on(epoch_table)

comes_with(
    event_table,
    # One notification for each writing transaction: PostgreSQL folds equal ones into one.
    """
    CREATE FUNCTION events.wake_consumers() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('events', string_agg(DISTINCT type, ',')) FROM written;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE TRIGGER event_wakes_consumers AFTER INSERT ON events.event
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION events.wake_consumers()
    """,
)


def consumer_tables(service_metadata: MetaData) -> tuple[Table, Table]:
    """The cursors and dead letters of a service's consumers, in the service's own schema."""
    cursor = Table(
        "event_cursor",
        service_metadata,
        Column("consumer", Text, primary_key=True),
        Column("epoch", Integer, nullable=False, server_default=text("0")),
        Column("transaction_id", TransactionId(), nullable=False, server_default=text("'0'::xid8")),
        Column("sequence", BigInteger, nullable=False, server_default=text("0")),
        comment="How far each consumer has read the event log.",
    )
    dead_letter = Table(
        "dead_letter",
        service_metadata,
        Column("consumer", Text, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("1")),
        Column("failed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("replay_requested_at", DateTime(timezone=True)),
        Column(
            "first_failed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")
        ),
        Column("discarded_at", DateTime(timezone=True)),
        Column("discarded_by", Text),
        Column("discard_reason", Text),
        PrimaryKeyConstraint("consumer", "event_id"),
        CheckConstraint(
            "num_nulls(discarded_at, discarded_by, discard_reason) IN (0, 3)", name="discarded"
        ),
        comment="Events whose handler failed: parked here, visible, and replayed or discarded by a "
        "person.",
    )
    return cursor, dead_letter
