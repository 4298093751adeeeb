"""What providers charge for payments has accounts of its own."""

from alembic import op

from shared.migrations import role_of

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.account_code ADD VALUE IF NOT EXISTS 'CHARGES_PAYABLE'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'charged'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'charges_taken'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'charges_paid'",
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'charges'",
)

UPGRADE = (
    """
    ALTER TABLE payments.provider
        ADD COLUMN charge_fixed_minor bigint DEFAULT 0 NOT NULL,
        ADD COLUMN charge_basis_points smallint DEFAULT 0 NOT NULL
    """,
    f"GRANT UPDATE (charge_fixed_minor, charge_basis_points) ON payments.provider TO {ROLE}",
    """
    ALTER TABLE payments.instruction_move
        ADD COLUMN charge_minor bigint,
        ADD CONSTRAINT instruction_move_charge_is_positive_check CHECK (charge_minor > 0)
    """,
    """
    INSERT INTO payments.account (code, scope, book, currency, overdraft_refused)
    SELECT 'CHARGES_PAYABLE', code, 'cash', currency, false FROM payments.provider
    -- They stay where the schema was taken back.
    ON CONFLICT DO NOTHING
    """,
)

DOWNGRADE = (
    "ALTER TABLE payments.instruction_move DROP COLUMN charge_minor",
    """
    ALTER TABLE payments.provider
        DROP COLUMN charge_fixed_minor, DROP COLUMN charge_basis_points
    """,
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """What was charged stays in the ledger; which payment it was for does not."""
    for statement in DOWNGRADE:
        op.execute(statement)
