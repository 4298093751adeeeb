"""Funds keep money for triggers that are ready, and let it go by themselves."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.account_code ADD VALUE IF NOT EXISTS 'RESERVED'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'readiness_reserved'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'readiness_released'",
)

UPGRADE = f"""
CREATE TABLE payments.reservation (
    readiness_id uuid NOT NULL,
    trigger text NOT NULL,
    scheme text NOT NULL,
    fund text NOT NULL,
    currency text NOT NULL,
    households integer NOT NULL,
    wanted_minor bigint NOT NULL,
    drawn_minor bigint DEFAULT 0 NOT NULL,
    reserved_minor bigint DEFAULT 0 NOT NULL,
    made_at timestamptz NOT NULL,
    released_at timestamptz,
    CONSTRAINT reservation_primary_key PRIMARY KEY (readiness_id),
    CONSTRAINT reservation_not_negative_check
        CHECK (wanted_minor >= 0 AND drawn_minor >= 0 AND reserved_minor >= 0),
    CONSTRAINT reservation_released_whole_check
        CHECK (released_at IS NULL OR reserved_minor = 0)
);
CREATE INDEX reservation_held_index ON payments.reservation (trigger, fund)
    WHERE released_at IS NULL;
COMMENT ON TABLE payments.reservation IS
'Money that a fund keeps for a trigger that is ready. It pays nobody.';
GRANT SELECT, INSERT, UPDATE (fund, currency, households, wanted_minor, drawn_minor,
    reserved_minor, released_at) ON payments.reservation TO {ROLE};
CREATE TABLE payments.activation_trigger (
    activation_id uuid NOT NULL,
    trigger text NOT NULL,
    CONSTRAINT activation_trigger_primary_key PRIMARY KEY (activation_id)
);
COMMENT ON TABLE payments.activation_trigger IS
'Activations that opened, and the triggers that they are of.';
GRANT SELECT, INSERT ON payments.activation_trigger TO {ROLE};
INSERT INTO payments.account (code, scope, book, currency, overdraft_refused)
SELECT 'RESERVED', code, 'budget', currency, true FROM payments.fund
-- It stays where the schema was taken back.
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """What is kept goes back first. Values of enumerations stay: they cannot be taken out."""
    execute_each(
        """
        INSERT INTO payments.transfer (debit_account, credit_account, amount_minor, currency, code,
            posted_at, reason)
        SELECT available.id, reserved.id, reserved.debits_minor - reserved.credits_minor,
            reserved.currency, 'readiness_released', clock_timestamp(), 'the schema was taken back'
        FROM payments.account AS reserved
        JOIN payments.account AS available
            ON available.scope = reserved.scope AND available.code = 'BUDGET_AVAILABLE'
        WHERE reserved.code = 'RESERVED' AND reserved.debits_minor > reserved.credits_minor;
        DROP TABLE payments.activation_trigger;
        DROP TABLE payments.reservation;
        """
    )
