"""What the migration made that brought the audit record to each service: it is never changed."""


def audit_record(schema: str, *, role: str) -> list[str]:
    """The statements that make the tables of one service."""
    function = f"{schema}.refuse_change_of_audit"
    return [
        f"""
        CREATE TABLE {schema}.audit_record (
            id uuid NOT NULL,
            recorded_at timestamptz DEFAULT clock_timestamp() NOT NULL,
            epoch integer DEFAULT events.current_epoch() NOT NULL,
            transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
            subject text NOT NULL,
            client text,
            request_id uuid NOT NULL,
            operation text NOT NULL,
            unmasked_read boolean NOT NULL,
            objects text[] NOT NULL,
            before jsonb,
            after jsonb,
            reason text,
            CONSTRAINT audit_record_primary_key PRIMARY KEY (id)
        )
        """,
        f"""
        CREATE INDEX audit_record_order_index
            ON {schema}.audit_record (epoch, transaction_id, id)
        """,
        f"CREATE INDEX audit_record_time_index ON {schema}.audit_record (recorded_at, id)",
        f"""
        CREATE INDEX audit_record_subject_index
            ON {schema}.audit_record (subject, recorded_at, id)
        """,
        f"CREATE INDEX audit_record_request_index ON {schema}.audit_record (request_id)",
        f"CREATE INDEX audit_record_transaction_index ON {schema}.audit_record (transaction_id)",
        f"CREATE INDEX audit_record_objects_index ON {schema}.audit_record USING gin (objects)",
        f"""
        COMMENT ON TABLE {schema}.audit_record IS
        'Who did what, when, from where and why. It only gains rows.'
        """,
        f"""
        CREATE TABLE {schema}.audit_link (
            sequence bigint NOT NULL,
            record_id uuid NOT NULL,
            epoch integer NOT NULL,
            transaction_id xid8 NOT NULL,
            digest bytea NOT NULL,
            CONSTRAINT audit_link_primary_key PRIMARY KEY (sequence),
            CONSTRAINT audit_link_record_id_foreign_key FOREIGN KEY (record_id)
                REFERENCES {schema}.audit_record (id),
            CONSTRAINT audit_link_record_id_unique UNIQUE (record_id),
            CONSTRAINT audit_link_digest_is_sha256_check CHECK (length(digest) = 32),
            CONSTRAINT audit_link_sequence_is_positive_check CHECK (sequence > 0)
        )
        """,
        f"""
        COMMENT ON TABLE {schema}.audit_link IS
        'The chain over the audit record: each digest is made with the one before.'
        """,
        f"""
        CREATE FUNCTION {function}() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'The audit record only gains rows.'
                USING ERRCODE = 'insufficient_privilege';
        END
        $$
        """,
        *(
            f"""
            CREATE TRIGGER audit_only_gains_rows
            BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()
            """
            for table in ("audit_record", "audit_link")
        ),
        f"""
        GRANT SELECT, INSERT (id, subject, client, request_id, operation, unmasked_read, objects,
            before, after, reason) ON {schema}.audit_record TO {role}
        """,
        f"GRANT SELECT, INSERT ON {schema}.audit_link TO {role}",
    ]


def without_audit_record(schema: str) -> list[str]:
    """The statements that take them away again, with whatever was recorded."""
    return [
        f"DROP TABLE {schema}.audit_link",
        f"DROP TABLE {schema}.audit_record",
        f"DROP FUNCTION {schema}.refuse_change_of_audit()",
    ]
