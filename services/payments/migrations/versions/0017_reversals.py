"""A deposit or prefunding that was recorded wrongly is taken back by two persons."""

from alembic import op

from shared.migrations import role_of

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'reversal'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'fund_received_reversed'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'budget_authorised_reversed'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'provider_prefunded_reversed'",
)

UPGRADE = (
    """
    CREATE TABLE payments.reversal (
        id uuid NOT NULL,
        reverses uuid NOT NULL,
        reversed_at timestamptz NOT NULL,
        CONSTRAINT reversal_primary_key PRIMARY KEY (id),
        CONSTRAINT reversal_reverses_unique UNIQUE (reverses)
    )
    """,
    """
    COMMENT ON TABLE payments.reversal IS
    'Deposits and prefundings that were recorded wrongly and taken back. It only gains rows.'
    """,
    f"GRANT SELECT, INSERT ON payments.reversal TO {ROLE}",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """The transfers stay, and so do values of enumerations: they cannot be taken out."""
    op.execute("DROP TABLE payments.reversal")
