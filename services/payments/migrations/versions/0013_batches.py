"""Payments leave many at a time, in batches whose ids are fixed before they do."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

_OPEN = "'waiting', 'sending', 'unknown', 'created', 'approving', 'under_way', 'read'"

UPGRADE = f"""
CREATE TYPE payments.batch_status AS ENUM (
    'waiting', 'sending', 'unknown', 'created', 'approving', 'under_way', 'read', 'closed',
    'refused', 'unsent'
);
CREATE TABLE payments.batch (
    number integer GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL,
    provider_number smallint NOT NULL,
    chunk_number integer NOT NULL,
    line_count integer NOT NULL,
    total_minor bigint NOT NULL,
    status payments.batch_status NOT NULL,
    moves smallint DEFAULT 0 NOT NULL,
    provider_batch_id text,
    server_correlation_id uuid,
    completions_read integer DEFAULT 0 NOT NULL,
    rejections_read integer DEFAULT 0 NOT NULL,
    readings smallint DEFAULT 0 NOT NULL,
    inquiries smallint DEFAULT 0 NOT NULL,
    next_action_at timestamptz,
    first_sent_at timestamptz,
    sent_at timestamptz,
    made_at timestamptz NOT NULL,
    finished_at timestamptz,
    reason text,
    CONSTRAINT batch_primary_key PRIMARY KEY (number),
    CONSTRAINT batch_id_unique UNIQUE (id),
    CONSTRAINT batch_has_lines_check CHECK (line_count > 0)
);
CREATE INDEX batch_due_index ON payments.batch (next_action_at) WHERE status IN ({_OPEN});
CREATE INDEX batch_chunk_index ON payments.batch (chunk_number);
COMMENT ON TABLE payments.batch IS
'Payments that leave in one request. The id is the provider''s key to it.';
GRANT SELECT, INSERT, UPDATE (status, moves, provider_batch_id, server_correlation_id,
    completions_read, rejections_read, readings, inquiries, next_action_at, first_sent_at, sent_at,
    finished_at, reason) ON payments.batch TO {ROLE};
CREATE TABLE payments.batch_move (
    batch_number integer NOT NULL,
    position smallint NOT NULL,
    from_status payments.batch_status NOT NULL,
    to_status payments.batch_status NOT NULL,
    moved_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text,
    CONSTRAINT batch_move_primary_key PRIMARY KEY (batch_number, position)
);
COMMENT ON TABLE payments.batch_move IS
'Who moved a batch, when and why. It only gains rows.';
GRANT SELECT, INSERT ON payments.batch_move TO {ROLE};
ALTER TABLE payments.instruction ADD COLUMN batch_number integer;
GRANT UPDATE (batch_number) ON payments.instruction TO {ROLE};
"""


def upgrade() -> None:
    execute_each(UPGRADE)


def downgrade() -> None:
    """What is open in a batch would be sent once more singly: that is refused."""
    op.execute(
        f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM payments.batch WHERE status IN ({_OPEN})) THEN
                RAISE EXCEPTION 'Batches are open: let them end first.';
            END IF;
        END $$
        """
    )
    execute_each(
        """
        ALTER TABLE payments.instruction DROP COLUMN batch_number;
        DROP TABLE payments.batch_move;
        DROP TABLE payments.batch;
        DROP TYPE payments.batch_status;
        """
    )
