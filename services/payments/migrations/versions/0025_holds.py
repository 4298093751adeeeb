"""Payments are held by rules that two persons set, before they are sent."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = ("ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'hold_rules'",)

UPGRADE = f"""
CREATE TYPE payments.hold_rule AS ENUM ('same_account', 'above_cap', 'suspected_duplicate');
CREATE TABLE payments.hold_rules (
    scheme text NOT NULL,
    account_households integer,
    account_days integer,
    cap_minor bigint,
    cap_currency text,
    cap_days integer,
    duplicate_days integer,
    set_at timestamptz NOT NULL,
    CONSTRAINT hold_rules_primary_key PRIMARY KEY (scheme),
    CONSTRAINT hold_rules_account_rule_is_whole_check
        CHECK (num_nulls(account_households, account_days) IN (0, 2)),
    CONSTRAINT hold_rules_cap_is_whole_check
        CHECK (num_nulls(cap_minor, cap_currency, cap_days) IN (0, 3)),
    CONSTRAINT hold_rules_limits_are_positive_check CHECK (account_households > 0
        AND account_days > 0 AND cap_minor > 0 AND cap_days > 0 AND duplicate_days > 0)
);
COMMENT ON TABLE payments.hold_rules IS
'By scheme, which payments are not sent before two persons have looked at them.';
GRANT SELECT, INSERT, UPDATE (account_households, account_days, cap_minor, cap_currency, cap_days,
    duplicate_days, set_at) ON payments.hold_rules TO {ROLE};
CREATE TABLE payments.hold (
    number bigint GENERATED ALWAYS AS IDENTITY,
    instruction_id uuid NOT NULL,
    rule payments.hold_rule NOT NULL,
    found bigint NOT NULL,
    allowed bigint NOT NULL,
    window_days integer NOT NULL,
    held_at timestamptz NOT NULL,
    ended_at timestamptz,
    resolution_id uuid,
    CONSTRAINT hold_primary_key PRIMARY KEY (number),
    CONSTRAINT hold_instruction_id_rule_unique UNIQUE (instruction_id, rule),
    CONSTRAINT hold_resolution_id_foreign_key FOREIGN KEY (resolution_id)
        REFERENCES payments.resolution (id),
    CONSTRAINT hold_ends_by_a_decision_check
        CHECK (num_nulls(ended_at, resolution_id) IN (0, 2))
);
CREATE INDEX hold_open_index ON payments.hold (number) WHERE ended_at IS NULL;
COMMENT ON TABLE payments.hold IS
'Payments that a rule keeps from being sent, what it found, and the decision that ended it.';
GRANT SELECT, INSERT, UPDATE (ended_at, resolution_id) ON payments.hold TO {ROLE};
ALTER TABLE payments.instruction ADD COLUMN withheld boolean DEFAULT false NOT NULL,
    ADD COLUMN account_fingerprint bytea;
GRANT UPDATE (withheld) ON payments.instruction TO {ROLE};
DROP INDEX payments.instruction_chunk_index;
CREATE INDEX instruction_chunk_index ON payments.instruction
    (chunk_number, status, provider_number, withheld);
"""

DOWNGRADE = """
DROP INDEX payments.instruction_chunk_index;
CREATE INDEX instruction_chunk_index ON payments.instruction
    (chunk_number, status, provider_number);
ALTER TABLE payments.instruction DROP COLUMN account_fingerprint, DROP COLUMN withheld;
DROP TABLE payments.hold;
DROP TABLE payments.hold_rules;
DROP TYPE payments.hold_rule;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    execute_each(DOWNGRADE)
