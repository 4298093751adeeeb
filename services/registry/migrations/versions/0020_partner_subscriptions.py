"""What partners are told of by themselves, and what we ask of them."""

from alembic import op

from shared.migrations import role_of

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    # The default is stable: rows that are there have this transaction, and none is rewritten.
    for table in ("household", "member"):
        op.execute(
            f"ALTER TABLE registry.{table} "
            "ADD COLUMN registered_in xid8 DEFAULT pg_current_xact_id()"
        )
    op.execute(
        """
        CREATE TABLE registry.partner_subscription (
            id uuid NOT NULL,
            sender_id text NOT NULL,
            event_type text NOT NULL,
            record_type text NOT NULL,
            filter_sealed bytea NOT NULL,
            filter_index bytea NOT NULL,
            callback_url text NOT NULL,
            begins_at timestamptz,
            ends_at timestamptz,
            scopes text[] NOT NULL,
            subject text NOT NULL,
            client text,
            request_id uuid NOT NULL,
            subscribed_at timestamptz NOT NULL,
            ended_at timestamptz,
            subscribed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
            CONSTRAINT partner_subscription_primary_key PRIMARY KEY (id),
            CONSTRAINT partner_subscription_sender_id_foreign_key
                FOREIGN KEY (sender_id) REFERENCES registry.partner (sender_id),
            CONSTRAINT partner_subscription_ends_after_it_begins_check
                CHECK (ends_at > begins_at)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX partner_subscription_standing_unique "
        "ON registry.partner_subscription (sender_id, filter_index) WHERE ended_at IS NULL"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner_subscription IS
        'What partners want to be told of, and how each asked for it, sealed.'
        """
    )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (ended_at, filter_sealed) "
        f"ON registry.partner_subscription TO {ROLE}"
    )
    op.execute(
        """
        CREATE TABLE registry.partner_search (
            id uuid NOT NULL,
            sender_id text NOT NULL,
            delivery_id uuid NOT NULL,
            asked_by text NOT NULL,
            asked_at timestamptz NOT NULL,
            CONSTRAINT partner_search_primary_key PRIMARY KEY (id),
            CONSTRAINT partner_search_sender_id_foreign_key
                FOREIGN KEY (sender_id) REFERENCES registry.partner (sender_id)
        )
        """
    )
    op.execute(
        "CREATE INDEX partner_search_sender_id_id_index ON registry.partner_search (sender_id, id)"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner_search IS
        'Searches that were sent to partners; what they answered is a callback.'
        """
    )
    op.execute(f"GRANT SELECT, INSERT ON registry.partner_search TO {ROLE}")
    op.execute(
        """
        CREATE TABLE registry.partner_callback (
            id uuid NOT NULL,
            sender_id text NOT NULL,
            message_id text NOT NULL,
            action text NOT NULL,
            transaction_id text NOT NULL,
            message_sealed bytea NOT NULL,
            received_at timestamptz NOT NULL,
            CONSTRAINT partner_callback_primary_key PRIMARY KEY (id),
            CONSTRAINT partner_callback_sender_id_foreign_key
                FOREIGN KEY (sender_id) REFERENCES registry.partner (sender_id)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX partner_callback_message_unique "
        "ON registry.partner_callback (sender_id, message_id)"
    )
    op.execute(
        "CREATE INDEX partner_callback_sender_id_transaction_id_index "
        "ON registry.partner_callback (sender_id, transaction_id)"
    )
    op.execute(
        "CREATE INDEX partner_callback_received_at_index ON registry.partner_callback (received_at)"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner_callback IS
        'Answers and notices that partners sent to us, sealed, each once.'
        """
    )
    op.execute(
        "GRANT SELECT, INSERT, DELETE, UPDATE (message_sealed) "
        f"ON registry.partner_callback TO {ROLE}"
    )


def downgrade() -> None:
    """Subscriptions, and what was asked of partners, are known no more."""
    op.execute("DROP TABLE registry.partner_callback")
    op.execute("DROP TABLE registry.partner_search")
    op.execute("DROP TABLE registry.partner_subscription")
    for table in ("member", "household"):
        op.execute(f"ALTER TABLE registry.{table} DROP COLUMN registered_in")
