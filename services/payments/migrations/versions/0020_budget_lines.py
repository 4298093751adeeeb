"""Funds have lines that schemes are booked on, with accounts of their own."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.book ADD VALUE IF NOT EXISTS 'line'",
    "ALTER TYPE payments.account_code ADD VALUE IF NOT EXISTS 'LINE_OPEN'",
    "ALTER TYPE payments.account_code ADD VALUE IF NOT EXISTS 'LINE_COMMITTED'",
    "ALTER TYPE payments.account_code ADD VALUE IF NOT EXISTS 'LINE_SPENT'",
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'budget_line'",
)

UPGRADE = f"""
CREATE TABLE payments.budget_line (
    fund text NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    ceiling_minor bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT budget_line_primary_key PRIMARY KEY (fund, code),
    CONSTRAINT budget_line_fund_foreign_key FOREIGN KEY (fund) REFERENCES payments.fund (code),
    CONSTRAINT budget_line_ceiling_is_not_negative_check CHECK (ceiling_minor >= 0)
);
COMMENT ON TABLE payments.budget_line IS
'Lines of funds. The fund''s code, a slash and the line''s are the scope of its ledger accounts.';
GRANT SELECT, INSERT, UPDATE (name, ceiling_minor) ON payments.budget_line TO {ROLE};
ALTER TABLE payments.payment_round ADD COLUMN budget_line text;
ALTER TABLE payments.chunk ADD COLUMN budget_line text;
DROP INDEX payments.transfer_of_a_payment_once_index;
DROP INDEX payments.transfer_round_reserved_once_index;
DROP INDEX payments.transfer_approved_once_index;
CREATE UNIQUE INDEX transfer_of_a_payment_once_index
    ON payments.transfer (payment_instruction_id, code, debit_account)
    WHERE payment_instruction_id IS NOT NULL;
CREATE UNIQUE INDEX transfer_round_reserved_once_index
    ON payments.transfer (round_number, debit_account)
    WHERE round_number IS NOT NULL;
CREATE UNIQUE INDEX transfer_approved_once_index
    ON payments.transfer (approval_id, code, debit_account, credit_account)
    WHERE approval_id IS NOT NULL;
"""

DOWNGRADE = """
DELETE FROM payments.transfer
WHERE debit_account IN (SELECT id FROM payments.account WHERE book = 'line');
DELETE FROM payments.account WHERE book = 'line';
DROP INDEX payments.transfer_of_a_payment_once_index;
DROP INDEX payments.transfer_round_reserved_once_index;
DROP INDEX payments.transfer_approved_once_index;
CREATE UNIQUE INDEX transfer_of_a_payment_once_index
    ON payments.transfer (payment_instruction_id, code)
    WHERE payment_instruction_id IS NOT NULL;
CREATE UNIQUE INDEX transfer_round_reserved_once_index
    ON payments.transfer (round_number)
    WHERE round_number IS NOT NULL;
CREATE UNIQUE INDEX transfer_approved_once_index
    ON payments.transfer (approval_id, code)
    WHERE approval_id IS NOT NULL;
ALTER TABLE payments.chunk DROP COLUMN budget_line;
ALTER TABLE payments.payment_round DROP COLUMN budget_line;
DROP TABLE payments.budget_line;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """What was told by line is taken out; the funds' own transfers stay."""
    execute_each(DOWNGRADE)
