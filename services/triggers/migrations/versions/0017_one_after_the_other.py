"""A later event waits until what an earlier one would pay was weighed."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
ALTER TABLE triggers.activation ADD COLUMN judge_again_at timestamptz;
COMMENT ON COLUMN triggers.activation.judge_again_at IS
    'By which instant its trigger is judged again once it is weighed; null: nothing waits for it.';
GRANT UPDATE (judge_again_at) ON triggers.activation TO {ROLE}
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE triggers.activation DROP COLUMN judge_again_at")
