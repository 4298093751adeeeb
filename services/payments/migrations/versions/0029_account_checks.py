"""Accounts are checked with their provider, and their holders' names, before they are paid."""

from alembic import op

from shared.migrations import role_of

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.hold_rule ADD VALUE IF NOT EXISTS 'account_name'",
    "ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS 'accounts_not_checked'",
)

UPGRADE = (
    "CREATE TYPE payments.account_outcome AS ENUM ('passed', 'doubted', 'closed')",
    """
    CREATE TABLE payments.account_check (
        household_id uuid NOT NULL,
        provider_number smallint NOT NULL,
        account_fingerprint bytea NOT NULL,
        household_fingerprint bytea NOT NULL,
        outcome payments.account_outcome,
        reason text,
        verdict text,
        likeness smallint,
        method text,
        names_pair bytea,
        accepted_pair bytea,
        wanted_at timestamptz NOT NULL,
        asked_at timestamptz,
        tries smallint DEFAULT 0 NOT NULL,
        ask_at timestamptz,
        CONSTRAINT account_check_primary_key
            PRIMARY KEY (household_id, provider_number, account_fingerprint),
        CONSTRAINT account_check_provider_number_foreign_key FOREIGN KEY (provider_number)
            REFERENCES payments.provider (number),
        CONSTRAINT account_check_likeness_is_of_a_hundred_check
            CHECK (likeness BETWEEN 0 AND 100),
        CONSTRAINT account_check_likeness_is_whole_check
            CHECK (num_nulls(verdict, likeness, method, names_pair) IN (0, 4))
    )
    """,
    """
    CREATE INDEX account_check_due_index ON payments.account_check (provider_number, ask_at)
        WHERE ask_at IS NOT NULL
    """,
    """
    CREATE INDEX account_check_closed_index ON payments.account_check (provider_number)
        WHERE outcome = 'closed'
    """,
    """
    COMMENT ON TABLE payments.account_check IS
    'What a provider and the registry said of an account, before it is paid.'
    """,
    f"""
    GRANT SELECT, INSERT, UPDATE (household_fingerprint, outcome, reason, verdict, likeness,
        method, names_pair, accepted_pair, wanted_at, asked_at, tries, ask_at)
        ON payments.account_check TO {ROLE}
    """,
    """
    ALTER TABLE payments.instruction ADD COLUMN account_unchecked boolean DEFAULT false NOT NULL
    """,
    f"GRANT UPDATE (account_unchecked) ON payments.instruction TO {ROLE}",
    "DROP INDEX payments.instruction_chunk_index",
    """
    CREATE INDEX instruction_chunk_index ON payments.instruction
        (chunk_number, status, provider_number, withheld, account_unchecked)
    """,
    """
    CREATE INDEX instruction_unchecked_index ON payments.instruction
        (household_id, provider_number)
        WHERE account_unchecked AND status IN ('ready', 'unknown')
    """,
)

DOWNGRADE = (
    "DROP INDEX payments.instruction_unchecked_index",
    "DROP INDEX payments.instruction_chunk_index",
    """
    CREATE INDEX instruction_chunk_index ON payments.instruction
        (chunk_number, status, provider_number, withheld)
    """,
    "ALTER TABLE payments.instruction DROP COLUMN account_unchecked",
    "DROP TABLE payments.account_check",
    "DROP TYPE payments.account_outcome",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out. Alarms of the kind are cleared."""
    op.execute(
        "UPDATE payments.alarm SET cleared_at = clock_timestamp() "
        "WHERE kind = 'accounts_not_checked' AND cleared_at IS NULL"
    )
    for statement in DOWNGRADE:
        op.execute(statement)
