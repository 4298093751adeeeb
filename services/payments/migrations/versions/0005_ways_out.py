"""Ways out of every state: two persons decide, and what was really paid is booked."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

CODES = ("underpaid", "underpaid_released", "overpaid", "overpaid_spent")

TYPES = """
CREATE TYPE payments.approval_kind AS ENUM ('resolution');
CREATE TYPE payments.approval_decision AS ENUM ('approved', 'declined');
CREATE TYPE payments.resolution_outcome AS ENUM (
    'settled', 'rejected', 'returned', 'resend', 'cancelled'
);
CREATE TYPE payments.resolution_result AS ENUM ('done', 'overtaken', 'refused');
"""

TABLES = """
ALTER TABLE payments.instruction
    ADD COLUMN paid_minor bigint,
    ADD COLUMN resend_approved_at timestamptz,
    ADD CONSTRAINT instruction_paid_is_positive_check CHECK (paid_minor > 0);

CREATE TABLE payments.approval (
    id uuid NOT NULL,
    kind payments.approval_kind NOT NULL,
    what text NOT NULL,
    document jsonb NOT NULL,
    households integer,
    amount_minor bigint,
    currency text,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    reason text NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    decision_reason text,
    decision payments.approval_decision,
    CONSTRAINT approval_primary_key PRIMARY KEY (id),
    CONSTRAINT approval_checker_is_not_the_maker_check
        CHECK (decision IS DISTINCT FROM 'approved' OR decided_by <> proposed_by),
    CONSTRAINT approval_decision_is_whole_check
        CHECK (num_nulls(decision, decided_by, decided_at, decision_reason) IN (0, 4)),
    CONSTRAINT approval_amount_has_a_currency_check
        CHECK (num_nulls(amount_minor, currency) IN (0, 2))
);
CREATE INDEX approval_waiting_index ON payments.approval (id) WHERE decision IS NULL;
COMMENT ON TABLE payments.approval IS
'Steps that need two persons: proposed by the first, decided by another.';

CREATE TABLE payments.resolution (
    id uuid NOT NULL,
    outcome payments.resolution_outcome NOT NULL,
    paid_minor bigint,
    approved_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT resolution_primary_key PRIMARY KEY (id),
    CONSTRAINT resolution_paid_is_positive_check CHECK (paid_minor > 0),
    CONSTRAINT resolution_paid_belongs_to_settled_check
        CHECK (paid_minor IS NULL OR outcome = 'settled')
);
CREATE INDEX resolution_to_carry_out_index ON payments.resolution (approved_at)
    WHERE approved_at IS NOT NULL AND finished_at IS NULL;
COMMENT ON TABLE payments.resolution IS
'What two persons decided about payments, carried out in sets.';

CREATE TABLE payments.resolution_item (
    resolution_id uuid NOT NULL,
    instruction_id uuid NOT NULL,
    from_status payments.instruction_status NOT NULL,
    result payments.resolution_result,
    detail text,
    CONSTRAINT resolution_item_primary_key PRIMARY KEY (resolution_id, instruction_id)
);
CREATE INDEX resolution_item_open_index
    ON payments.resolution_item (resolution_id, instruction_id) WHERE result IS NULL;
COMMENT ON TABLE payments.resolution_item IS
'The payments of a resolution, and what became of each.';
"""

GRANTS = f"""
GRANT UPDATE (paid_minor, resend_approved_at) ON payments.instruction TO {ROLE};
GRANT SELECT, INSERT, UPDATE (decision, decided_by, decided_at, decision_reason)
    ON payments.approval TO {ROLE};
GRANT SELECT, INSERT, UPDATE (approved_at, finished_at) ON payments.resolution TO {ROLE};
GRANT SELECT, INSERT, UPDATE (result, detail) ON payments.resolution_item TO {ROLE};
"""


def upgrade() -> None:
    for code in CODES:
        op.execute(f"ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS '{code}'")
    execute_each(TYPES)
    execute_each(TABLES)
    execute_each(GRANTS)


def downgrade() -> None:
    # A value of an enum is never removed, and history may hold it.
    for table in ("resolution_item", "resolution", "approval"):
        op.execute(f"DROP TABLE payments.{table}")
    op.execute(
        "ALTER TABLE payments.instruction DROP COLUMN paid_minor, DROP COLUMN resend_approved_at"
    )
    for enumeration in (
        "approval_kind",
        "approval_decision",
        "resolution_outcome",
        "resolution_result",
    ):
        op.execute(f"DROP TYPE payments.{enumeration}")
