"""A subscription that is not reached, or was disabled, is an alarm."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

UPGRADE = (
    "ALTER TABLE payments.alarm ADD COLUMN subscription_id uuid",
    """
    ALTER TABLE payments.alarm
        DROP CONSTRAINT alarm_is_about_a_thing_check,
        ADD CONSTRAINT alarm_is_about_a_thing_check
            CHECK (num_nonnulls(instruction_id, provider_number, subscription_id) = 1)
    """,
    """
    CREATE UNIQUE INDEX alarm_of_a_subscription_index ON payments.alarm (subscription_id, kind)
        WHERE subscription_id IS NOT NULL
    """,
    """
    CREATE INDEX delivery_taken_index ON payments.delivery (subscription_id, finished_at)
        WHERE status = 'delivered'
    """,
)

DOWNGRADE = (
    "DROP INDEX payments.delivery_taken_index",
    "DELETE FROM payments.alarm WHERE subscription_id IS NOT NULL",
    """
    ALTER TABLE payments.alarm
        DROP CONSTRAINT alarm_is_about_a_thing_check,
        ADD CONSTRAINT alarm_is_about_a_thing_check
            CHECK (num_nulls(instruction_id, provider_number) = 1),
        DROP COLUMN subscription_id
    """,
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for kind in ("subscription_failing", "subscription_disabled"):
            op.execute(f"ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS '{kind}'")
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    for statement in DOWNGRADE:
        op.execute(statement)
