"""Two persons let go what a rule holds."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payments.resolution_outcome ADD VALUE IF NOT EXISTS 'released'")


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
