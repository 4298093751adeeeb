"""Alarms about files that a provider answers by."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ALARMS = ("file_set_aside", "file_differs", "lines_not_ours")


def upgrade() -> None:
    for kind in ALARMS:
        op.execute(f"ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS '{kind}'")


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
