"""Where the audit record is stored, in each service's own schema: the records, and their chain."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.events.tables import TransactionId
from shared.schema.declaration import comes_with


def audit_tables(metadata: MetaData) -> tuple[Table, Table]:
    """A service's records and the links of their chain."""
    schema = metadata.schema
    record = Table(
        "audit_record",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column(
            "recorded_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=text("clock_timestamp()"),
        ),
        Column("epoch", Integer, nullable=False, server_default=text("events.current_epoch()")),
        Column(
            "transaction_id",
            TransactionId(),
            nullable=False,
            server_default=text("pg_current_xact_id()"),
        ),
        Column("subject", Text, nullable=False),
        Column("client", Text),
        Column("request_id", Uuid, nullable=False),
        Column("operation", Text, nullable=False),
        Column("unmasked_read", Boolean, nullable=False),
        Column("objects", ARRAY(Text), nullable=False),
        # What is personal stands here as it is stored elsewhere, too: sealed.
        Column("before", JSONB),
        Column("after", JSONB),
        Column("reason", Text),
        Index("audit_record_order_index", "epoch", "transaction_id", "id"),
        Index("audit_record_time_index", "recorded_at", "id"),
        Index("audit_record_subject_index", "subject", "recorded_at", "id"),
        Index("audit_record_request_index", "request_id"),
        Index("audit_record_transaction_index", "transaction_id"),
        Index("audit_record_objects_index", "objects", postgresql_using="gin"),
        comment="Who did what, when, from where and why. It only gains rows.",
    )
    link = Table(
        "audit_link",
        metadata,
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        Column(
            "record_id",
            Uuid,
            ForeignKey(f"{schema}.audit_record.id"),
            nullable=False,
            unique=True,
        ),
        Column("epoch", Integer, nullable=False),
        Column("transaction_id", TransactionId(), nullable=False),
        Column("digest", LargeBinary, nullable=False),
        CheckConstraint("length(digest) = 32", name="digest_is_sha256"),
        CheckConstraint("sequence > 0", name="sequence_is_positive"),
        comment="The chain over the audit record: each digest is made with the one before.",
    )
    comes_with(
        record,
        f"""
        CREATE FUNCTION {schema}.refuse_change_of_audit() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'The audit record only gains rows.'
                USING ERRCODE = 'insufficient_privilege';
        END
        $$
        """,
        _only_gains_rows(f"{schema}.audit_record", function=f"{schema}.refuse_change_of_audit"),
    )
    comes_with(
        link, _only_gains_rows(f"{schema}.audit_link", function=f"{schema}.refuse_change_of_audit")
    )
    return record, link


def _only_gains_rows(table: str, *, function: str) -> str:
    return f"""
        CREATE TRIGGER audit_only_gains_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {function}()
    """
