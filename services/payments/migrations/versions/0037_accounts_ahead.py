"""Accounts of whomever a trigger that is ready would pay are checked before the shock."""

from alembic import op

from shared.migrations import role_of

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

UPGRADE = (
    """
    CREATE TABLE payments.account_preparation (
        readiness_id uuid NOT NULL,
        households integer NOT NULL,
        after uuid,
        fetch_at timestamptz NOT NULL,
        fetched_at timestamptz,
        CONSTRAINT account_preparation_primary_key PRIMARY KEY (readiness_id)
    )
    """,
    """
    COMMENT ON TABLE payments.account_preparation IS
        'Whose accounts are checked before a shock: of triggers that are ready.'
    """,
    """
    CREATE TABLE payments.prepared_account (
        id uuid DEFAULT uuidv7() NOT NULL,
        readiness_id uuid NOT NULL,
        household_id uuid NOT NULL,
        provider_number smallint NOT NULL,
        account_fingerprint bytea NOT NULL,
        account_sealed bytea NOT NULL,
        CONSTRAINT prepared_account_primary_key PRIMARY KEY (id),
        CONSTRAINT prepared_account_readiness_id_household_id_unique
            UNIQUE (readiness_id, household_id)
    )
    """,
    """
    COMMENT ON TABLE payments.prepared_account IS
        'Accounts that are checked before a shock; deleted when its trigger rests.'
    """,
    "CREATE INDEX prepared_account_household_index ON payments.prepared_account (household_id)",
    f"""
    GRANT SELECT, INSERT, UPDATE (households, after, fetch_at, fetched_at)
        ON payments.account_preparation TO {ROLE}
    """,
    f"""
    GRANT SELECT, INSERT, DELETE,
        UPDATE (provider_number, account_fingerprint, account_sealed)
        ON payments.prepared_account TO {ROLE}
    """,
)

DOWNGRADE = (
    "DROP TABLE payments.prepared_account",
    "DROP TABLE payments.account_preparation",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
