"""An import that has too many faults stops, and says at which line."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE registry.household_import ADD COLUMN stopped_at_line integer")


def downgrade() -> None:
    op.execute("ALTER TABLE registry.household_import DROP COLUMN stopped_at_line")
