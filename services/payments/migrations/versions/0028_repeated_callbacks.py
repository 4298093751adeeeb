"""A callback that comes again with another body is told from a repeat."""

from alembic import op

from shared.migrations import role_of

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

UPGRADE = (
    """
    ALTER TABLE payments.webhook
        ADD COLUMN body_fingerprint bytea,
        ADD COLUMN differed_at timestamptz,
        ADD COLUMN difference_told boolean DEFAULT false NOT NULL
    """,
    """
    CREATE INDEX webhook_differed_index ON payments.webhook (id)
        WHERE differed_at IS NOT NULL AND NOT difference_told
    """,
    f"GRANT UPDATE (differed_at, difference_told) ON payments.webhook TO {ROLE}",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS 'callback_differs'")
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out. Alarms of the kind are cleared."""
    op.execute(
        "UPDATE payments.alarm SET cleared_at = clock_timestamp() "
        "WHERE kind = 'callback_differs' AND cleared_at IS NULL"
    )
    op.execute("DROP INDEX payments.webhook_differed_index")
    op.execute(
        "ALTER TABLE payments.webhook DROP COLUMN body_fingerprint, DROP COLUMN differed_at, "
        "DROP COLUMN difference_told"
    )
