"""Room beside each entitlement for its end: the new row on the old one's page needs no index."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE registry.entitlement SET (fillfactor = 50)")


def downgrade() -> None:
    op.execute("ALTER TABLE registry.entitlement RESET (fillfactor)")
