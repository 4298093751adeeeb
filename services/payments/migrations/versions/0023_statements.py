"""Providers' statements are kept and held against the books, line by line."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.account_code ADD VALUE IF NOT EXISTS 'PROVIDER_CHARGES'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'statement_suspended'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'statement_released'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'statement_charged'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'statement_received'",
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'statement_mapping'",
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'difference'",
)

UPGRADE = f"""
CREATE TYPE payments.statement_format AS ENUM ('csv', 'camt.053');
CREATE TYPE payments.statement_direction AS ENUM ('out', 'in');
CREATE TYPE payments.difference_kind AS ENUM (
    'unknown_payment', 'paid_again', 'line_repeated', 'unknown_receipt', 'other_amount',
    'other_reference', 'awaiting_answer', 'not_paid_here', 'returned_there', 'other_day',
    'not_on_statement', 'prefunding_not_on_statement', 'opening_differs', 'closing_differs',
    'float_differs'
);
CREATE TYPE payments.difference_closure AS ENUM ('explained', 'resolved', 'superseded');
CREATE TABLE payments.statement_mapping (
    code text NOT NULL,
    version integer NOT NULL,
    document jsonb NOT NULL,
    posted_by text NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT statement_mapping_primary_key PRIMARY KEY (code, version),
    CONSTRAINT statement_mapping_version_counts_from_one_check CHECK (version >= 1)
);
COMMENT ON TABLE payments.statement_mapping IS 'Versioned documents; never updated.';
GRANT SELECT, INSERT ON payments.statement_mapping TO {ROLE};
CREATE TABLE payments.statement (
    number integer GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL,
    provider_number smallint NOT NULL,
    day date NOT NULL,
    format payments.statement_format NOT NULL,
    mapping_version integer,
    content_digest bytea NOT NULL,
    currency text NOT NULL,
    line_count integer NOT NULL,
    set_aside_count integer NOT NULL,
    out_count integer NOT NULL,
    out_minor bigint NOT NULL,
    in_count integer NOT NULL,
    in_minor bigint NOT NULL,
    opening_minor bigint,
    closing_minor bigint,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    superseded_by uuid,
    superseded_at timestamptz,
    CONSTRAINT statement_primary_key PRIMARY KEY (number),
    CONSTRAINT statement_id_unique UNIQUE (id),
    CONSTRAINT statement_provider_number_day_content_digest_unique
        UNIQUE (provider_number, day, content_digest),
    CONSTRAINT statement_superseded_is_whole_check
        CHECK (num_nulls(superseded_by, superseded_at) IN (0, 2))
);
CREATE UNIQUE INDEX statement_current_index ON payments.statement (provider_number, day)
    WHERE superseded_at IS NULL;
COMMENT ON TABLE payments.statement IS
'What providers say of a day, as files. One is current for each day.';
COMMENT ON COLUMN payments.statement.content_digest IS 'SHA-256 of the file.';
GRANT SELECT, INSERT, UPDATE (superseded_by, superseded_at) ON payments.statement TO {ROLE};
CREATE TABLE payments.statement_line (
    payment_id uuid,
    amount_minor bigint NOT NULL,
    balance_minor bigint,
    booked_at timestamptz,
    statement_number integer NOT NULL,
    line integer NOT NULL,
    direction payments.statement_direction NOT NULL,
    reference text,
    CONSTRAINT statement_line_primary_key PRIMARY KEY (statement_number, line)
);
CREATE INDEX statement_line_received_index ON payments.statement_line (reference)
    WHERE direction = 'in';
COMMENT ON TABLE payments.statement_line IS
'Lines of statements that could be read. They only gain rows.';
GRANT SELECT, INSERT, UPDATE (payment_id) ON payments.statement_line TO {ROLE};
CREATE TABLE payments.statement_fault (
    statement_number integer NOT NULL,
    line integer NOT NULL,
    field text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT statement_fault_primary_key PRIMARY KEY (statement_number, line)
);
COMMENT ON TABLE payments.statement_fault IS
'Lines of statements that were set aside, each with its reason.';
GRANT SELECT, INSERT ON payments.statement_fault TO {ROLE};
CREATE TABLE payments.statement_difference (
    number bigint GENERATED ALWAYS AS IDENTITY,
    payment_id uuid,
    statement_minor bigint,
    ledger_minor bigint,
    suspense_minor bigint DEFAULT 0 NOT NULL,
    found_at timestamptz NOT NULL,
    answered_at timestamptz,
    assigned_at timestamptz,
    closed_at timestamptz,
    approval_id uuid,
    statement_number integer NOT NULL,
    line integer,
    explained_by integer,
    kind payments.difference_kind NOT NULL,
    closure payments.difference_closure,
    reference text,
    assigned_to text,
    assigned_by text,
    closed_reason text,
    CONSTRAINT statement_difference_primary_key PRIMARY KEY (number),
    CONSTRAINT statement_difference_closed_is_whole_check
        CHECK (num_nulls(closed_at, closure) IN (0, 2)),
    CONSTRAINT statement_difference_assigned_is_whole_check
        CHECK (num_nulls(assigned_to, assigned_by, assigned_at) IN (0, 3)),
    CONSTRAINT statement_difference_suspense_is_open_check
        CHECK (suspense_minor = 0 OR (suspense_minor > 0 AND closed_at IS NULL
            AND kind IN ('unknown_payment', 'paid_again')))
);
CREATE INDEX statement_difference_statement_index
    ON payments.statement_difference (statement_number, number);
CREATE INDEX statement_difference_open_index ON payments.statement_difference (number)
    WHERE closed_at IS NULL;
CREATE INDEX statement_difference_explained_index
    ON payments.statement_difference (explained_by) WHERE explained_by IS NOT NULL;
CREATE INDEX statement_difference_payment_index
    ON payments.statement_difference (payment_id) WHERE payment_id IS NOT NULL;
COMMENT ON TABLE payments.statement_difference IS
'In what statements and our books differ, until each has its end.';
GRANT SELECT, INSERT, UPDATE (kind, found_at, suspense_minor, answered_at, assigned_to, assigned_by,
    assigned_at, closed_at, closure, closed_reason, explained_by, approval_id)
    ON payments.statement_difference TO {ROLE};
INSERT INTO payments.account (code, scope, book, currency, overdraft_refused)
SELECT 'PROVIDER_CHARGES', code, 'cash', currency, false FROM payments.provider
-- It stays where the schema was taken back.
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """What is in suspense goes back first. Values of enumerations stay."""
    execute_each(
        """
        INSERT INTO payments.transfer (debit_account, credit_account, amount_minor, currency, code,
            posted_at, reason)
        SELECT free.id, suspense.id, sum(difference.suspense_minor), free.currency,
            'statement_released', clock_timestamp(), 'the schema was taken back'
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        JOIN payments.provider ON provider.number = statement.provider_number
        JOIN payments.account AS free
            ON free.scope = provider.code AND free.code = 'PROVIDER_FLOAT'
        JOIN payments.account AS suspense
            ON suspense.scope = provider.code AND suspense.code = 'SUSPENSE'
        WHERE difference.suspense_minor > 0
        GROUP BY free.id, suspense.id, free.currency;
        DROP TABLE payments.statement_difference;
        DROP TABLE payments.statement_fault;
        DROP TABLE payments.statement_line;
        DROP TABLE payments.statement;
        DROP TABLE payments.statement_mapping;
        DROP TYPE payments.difference_closure;
        DROP TYPE payments.difference_kind;
        DROP TYPE payments.statement_direction;
        DROP TYPE payments.statement_format;
        """
    )
