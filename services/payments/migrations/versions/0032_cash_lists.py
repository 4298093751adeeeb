"""Cash is paid out by hand, from lists that people sign."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'cash_results'",
    "ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS 'cash_list_overdue'",
)

UPGRADE = f"""
CREATE TYPE payments.cash_line_outcome AS ENUM ('paid', 'not-paid', 'unclaimed');
CREATE TYPE payments.payout_place AS ENUM ('village-office', 'agent');
CREATE TYPE payments.cash_upload_status AS ENUM ('waiting', 'approved', 'declined', 'nothing-new');
CREATE TABLE payments.cash_list (
    id uuid NOT NULL,
    number integer NOT NULL,
    provider_number smallint NOT NULL,
    batch_number integer NOT NULL,
    area_code text,
    scheme text NOT NULL,
    round integer NOT NULL,
    paid_at payments.payout_place NOT NULL,
    currency text NOT NULL,
    line_count integer NOT NULL,
    total_minor bigint NOT NULL,
    made_on date NOT NULL,
    claim_by date NOT NULL,
    returns_on date NOT NULL,
    content_digest bytea NOT NULL,
    signature bytea NOT NULL,
    bringings integer DEFAULT 0 NOT NULL,
    returned_at timestamptz,
    CONSTRAINT cash_list_primary_key PRIMARY KEY (id),
    CONSTRAINT cash_list_provider_number_number_unique UNIQUE (provider_number, number),
    CONSTRAINT cash_list_has_lines_check CHECK (line_count > 0),
    CONSTRAINT cash_list_days_in_order_check
        CHECK (made_on <= claim_by AND claim_by < returns_on)
);
CREATE INDEX cash_list_to_return_index ON payments.cash_list (returns_on)
    WHERE returned_at IS NULL;
COMMENT ON TABLE payments.cash_list IS
    'Lists from which cash is paid out by hand. The id is the batch''s.';
CREATE TABLE payments.cash_line (
    list_id uuid NOT NULL,
    number integer NOT NULL,
    instruction_id uuid NOT NULL,
    entitlement_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    outcome payments.cash_line_outcome,
    bringing integer,
    reason text,
    paid_on date,
    paper_reference text,
    CONSTRAINT cash_line_primary_key PRIMARY KEY (list_id, number),
    CONSTRAINT cash_line_instruction_id_unique UNIQUE (instruction_id),
    CONSTRAINT cash_line_outcome_is_whole_check CHECK (num_nulls(outcome, bringing) IN (0, 2))
);
CREATE INDEX cash_line_read_index ON payments.cash_line (list_id, bringing, number)
    WHERE outcome IS NOT NULL;
COMMENT ON TABLE payments.cash_line IS
    'The lines of lists. An instruction is on one list, ever.';
CREATE TABLE payments.cash_upload (
    id uuid NOT NULL,
    list_id uuid NOT NULL,
    content_digest bytea NOT NULL,
    status payments.cash_upload_status NOT NULL,
    new_count integer NOT NULL,
    repeated_count integer NOT NULL,
    set_aside_count integer NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    told_at timestamptz,
    CONSTRAINT cash_upload_primary_key PRIMARY KEY (id)
);
CREATE INDEX cash_upload_list_index ON payments.cash_upload (list_id, id);
CREATE INDEX cash_upload_to_tell_index ON payments.cash_upload (id)
    WHERE status = 'approved' AND told_at IS NULL;
COMMENT ON TABLE payments.cash_upload IS
    'Results that were uploaded, for a second person to approve.';
CREATE TABLE payments.cash_upload_row (
    upload_id uuid NOT NULL,
    "row" integer NOT NULL,
    number integer,
    outcome payments.cash_line_outcome,
    reason text,
    paid_on date,
    paper_reference text,
    is_new boolean NOT NULL,
    fault text,
    CONSTRAINT cash_upload_row_primary_key PRIMARY KEY (upload_id, "row"),
    CONSTRAINT cash_upload_row_says_something_check
        CHECK (fault IS NOT NULL OR (number IS NOT NULL AND outcome IS NOT NULL)),
    CONSTRAINT cash_upload_row_new_is_readable_check CHECK (NOT is_new OR fault IS NULL)
);
COMMENT ON TABLE payments.cash_upload_row IS
    'The rows of uploaded results: taken, repeated, or set aside.';
GRANT SELECT, INSERT, UPDATE (bringings, returned_at) ON payments.cash_list TO {ROLE};
GRANT SELECT, INSERT, UPDATE (outcome, bringing, reason, paid_on, paper_reference)
    ON payments.cash_line TO {ROLE};
GRANT SELECT, INSERT, UPDATE (status, new_count, repeated_count, told_at)
    ON payments.cash_upload TO {ROLE};
GRANT SELECT, INSERT, UPDATE (is_new) ON payments.cash_upload_row TO {ROLE};
"""

DOWNGRADE = """
DROP TABLE payments.cash_upload_row;
DROP TABLE payments.cash_upload;
DROP TABLE payments.cash_line;
DROP TABLE payments.cash_list;
DROP TYPE payments.cash_upload_status;
DROP TYPE payments.cash_line_outcome;
DROP TYPE payments.payout_place;
UPDATE payments.alarm SET cleared_at = clock_timestamp()
    WHERE kind = 'cash_list_overdue' AND cleared_at IS NULL;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out. What the lists say is lost."""
    execute_each(DOWNGRADE)
