"""Systems that speak SPDCI with the registry: what they asked, and what they are sent."""

from alembic import op

from shared.migrations import role_of

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'partner'")
    op.execute(
        """
        CREATE TABLE registry.partner (
            sender_id text NOT NULL,
            name text NOT NULL,
            subject text NOT NULL,
            keys jsonb NOT NULL,
            callback_url text,
            proposed_by text NOT NULL,
            approved_by text NOT NULL,
            changed_at timestamptz NOT NULL,
            ended_at timestamptz,
            CONSTRAINT partner_primary_key PRIMARY KEY (sender_id),
            CONSTRAINT partner_two_persons_check CHECK (approved_by <> proposed_by)
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner IS
        'Systems that speak SPDCI with the registry, with the keys that they sign by.'
        """
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON registry.partner TO {ROLE}")
    op.execute(
        """
        CREATE TABLE registry.partner_message (
            sender_id text NOT NULL,
            message_id text NOT NULL,
            received_at timestamptz NOT NULL,
            CONSTRAINT partner_message_primary_key PRIMARY KEY (sender_id, message_id),
            CONSTRAINT partner_message_sender_id_foreign_key
                FOREIGN KEY (sender_id) REFERENCES registry.partner (sender_id)
        )
        """
    )
    op.execute(
        "CREATE INDEX partner_message_received_at_index ON registry.partner_message (received_at)"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner_message IS
        'Ids of messages that partners sent, for as long as a signature can hold: each is taken '
        'once.'
        """
    )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON registry.partner_message TO {ROLE}")
    op.execute(
        "CREATE TYPE registry.partner_request_status AS ENUM ('waiting', 'answered', 'dropped')"
    )
    op.execute(
        """
        CREATE TABLE registry.partner_request (
            id uuid NOT NULL,
            sender_id text NOT NULL,
            register text NOT NULL,
            action text NOT NULL,
            transaction_id text NOT NULL,
            reference_ids text[] NOT NULL,
            callback_url text NOT NULL,
            scopes text[] NOT NULL,
            subject text NOT NULL,
            client text,
            request_id uuid NOT NULL,
            message_sealed bytea NOT NULL,
            status registry.partner_request_status NOT NULL,
            received_at timestamptz NOT NULL,
            answered_at timestamptz,
            CONSTRAINT partner_request_primary_key PRIMARY KEY (id),
            CONSTRAINT partner_request_sender_id_foreign_key
                FOREIGN KEY (sender_id) REFERENCES registry.partner (sender_id),
            CONSTRAINT partner_request_waits_or_is_answered_check
                CHECK ((status = 'waiting') = (answered_at IS NULL))
        )
        """
    )
    op.execute(
        "CREATE INDEX partner_request_waiting_index ON registry.partner_request (id) "
        "WHERE status = 'waiting'"
    )
    op.execute(
        "CREATE INDEX partner_request_sender_id_transaction_id_index "
        "ON registry.partner_request (sender_id, transaction_id)"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner_request IS
        'What partners asked that is answered later, sealed: it may name persons.'
        """
    )
    op.execute(
        "GRANT SELECT, INSERT, DELETE, UPDATE (status, answered_at, message_sealed) "
        f"ON registry.partner_request TO {ROLE}"
    )
    op.execute(
        "CREATE TYPE registry.partner_delivery_status AS ENUM "
        "('waiting', 'delivered', 'failed', 'stopped')"
    )
    op.execute(
        """
        CREATE TABLE registry.partner_delivery (
            id uuid NOT NULL,
            sender_id text NOT NULL,
            partner_request_id uuid,
            url text NOT NULL,
            action text NOT NULL,
            message_sealed bytea NOT NULL,
            status registry.partner_delivery_status NOT NULL,
            attempts smallint DEFAULT 0 NOT NULL,
            made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
            next_attempt_at timestamptz DEFAULT clock_timestamp(),
            attempted_at timestamptz,
            finished_at timestamptz,
            answer_status smallint,
            detail text,
            CONSTRAINT partner_delivery_primary_key PRIMARY KEY (id),
            CONSTRAINT partner_delivery_sender_id_foreign_key
                FOREIGN KEY (sender_id) REFERENCES registry.partner (sender_id),
            CONSTRAINT partner_delivery_waits_or_is_finished_check
                CHECK ((status = 'waiting') = (finished_at IS NULL)
                    AND (status = 'waiting') = (next_attempt_at IS NOT NULL))
        )
        """
    )
    op.execute(
        "CREATE INDEX partner_delivery_due_index ON registry.partner_delivery (next_attempt_at) "
        "WHERE status = 'waiting'"
    )
    op.execute(
        "CREATE INDEX partner_delivery_partner_request_id_index "
        "ON registry.partner_delivery (partner_request_id)"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.partner_delivery IS
        'Messages on their way to partners, sealed, each until it was taken.'
        """
    )
    op.execute(
        "GRANT SELECT, INSERT, DELETE, UPDATE (status, attempts, next_attempt_at, attempted_at, "
        "finished_at, answer_status, detail, message_sealed) "
        f"ON registry.partner_delivery TO {ROLE}"
    )


def downgrade() -> None:
    """No partner is known any more. Values of enumerations stay: they cannot be taken out."""
    op.execute("DROP TABLE registry.partner_delivery")
    op.execute("DROP TYPE registry.partner_delivery_status")
    op.execute("DROP TABLE registry.partner_request")
    op.execute("DROP TYPE registry.partner_request_status")
    op.execute("DROP TABLE registry.partner_message")
    op.execute("DROP TABLE registry.partner")
