"""An indicator that cannot be judged says so, and since when."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
ALTER TABLE triggers.indicator ADD COLUMN failing_since timestamptz;
COMMENT ON COLUMN triggers.indicator.failing_since IS
    'Since when it, or a trigger that reads it, cannot be judged; null: it can.';
GRANT UPDATE (failing_since) ON triggers.indicator TO {ROLE}
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE triggers.indicator DROP COLUMN failing_since")
