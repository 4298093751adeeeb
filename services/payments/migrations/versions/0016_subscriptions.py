"""Events are sent to subscribers outside."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = ("ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'subscription'",)

UPGRADE = f"""
CREATE TYPE payments.signing AS ENUM ('hmac-sha256', 'ed25519');
CREATE TYPE payments.subscription_status AS ENUM ('active', 'disabled', 'ended');
CREATE TYPE payments.delivery_status AS ENUM ('waiting', 'delivered', 'failed', 'stopped');
CREATE TABLE payments.subscription (
    id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    types text[] NOT NULL,
    areas text[] NOT NULL,
    signing payments.signing NOT NULL,
    status payments.subscription_status NOT NULL,
    after_sequence bigint NOT NULL,
    proposed_by text NOT NULL,
    approved_by text NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_because text,
    CONSTRAINT subscription_primary_key PRIMARY KEY (id),
    CONSTRAINT subscription_two_persons_check CHECK (approved_by <> proposed_by),
    CONSTRAINT subscription_end_is_whole_check
        CHECK ((status = 'active') = (ended_at IS NULL)
            AND num_nulls(ended_at, ended_because) IN (0, 2))
);
CREATE INDEX subscription_active_index ON payments.subscription (id) WHERE status = 'active';
COMMENT ON TABLE payments.subscription IS
'Addresses outside, and the events that are sent to them.';
GRANT SELECT, INSERT, UPDATE (status, ended_at, ended_because) ON payments.subscription TO {ROLE};
CREATE TABLE payments.subscription_key (
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    secret_sealed bytea NOT NULL,
    public_key text,
    made_by text NOT NULL,
    made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    signs_until timestamptz,
    CONSTRAINT subscription_key_primary_key PRIMARY KEY (id),
    CONSTRAINT subscription_key_subscription_id_foreign_key
        FOREIGN KEY (subscription_id) REFERENCES payments.subscription (id)
);
CREATE INDEX subscription_key_subscription_id_index ON payments.subscription_key (subscription_id);
COMMENT ON TABLE payments.subscription_key IS 'Keys that sign deliveries, sealed.';
GRANT SELECT, INSERT, UPDATE (secret_sealed, signs_until) ON payments.subscription_key TO {ROLE};
CREATE TABLE payments.delivery (
    number bigint GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    event_id uuid NOT NULL,
    status payments.delivery_status NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    next_attempt_at timestamptz DEFAULT clock_timestamp(),
    attempted_at timestamptz,
    finished_at timestamptz,
    answer_status smallint,
    detail text,
    CONSTRAINT delivery_primary_key PRIMARY KEY (number),
    CONSTRAINT delivery_id_unique UNIQUE (id),
    CONSTRAINT delivery_subscription_id_event_id_unique UNIQUE (subscription_id, event_id),
    CONSTRAINT delivery_subscription_id_foreign_key
        FOREIGN KEY (subscription_id) REFERENCES payments.subscription (id),
    CONSTRAINT delivery_waits_or_is_finished_check
        CHECK ((status = 'waiting') = (finished_at IS NULL)
            AND (status = 'waiting') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX delivery_due_index ON payments.delivery (subscription_id, next_attempt_at)
    WHERE status = 'waiting';
CREATE INDEX delivery_not_delivered_index ON payments.delivery (number)
    WHERE status IN ('failed', 'stopped');
COMMENT ON TABLE payments.delivery IS
'Events on their way to subscribers, each once for each subscription.';
GRANT SELECT, INSERT, DELETE, UPDATE (status, attempts, next_attempt_at, attempted_at, finished_at,
    answer_status, detail) ON payments.delivery TO {ROLE};
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """Nothing is sent any more. Values of enumerations stay: they cannot be taken out."""
    execute_each(
        """
        DROP TABLE payments.delivery;
        DROP TABLE payments.subscription_key;
        DROP TABLE payments.subscription;
        DROP TYPE payments.delivery_status;
        DROP TYPE payments.subscription_status;
        DROP TYPE payments.signing;
        """
    )
