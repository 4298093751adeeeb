"""The journal is read in the order of time."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX transfer_time_index ON payments.transfer (posted_at, id)")


def downgrade() -> None:
    op.execute("DROP INDEX payments.transfer_time_index")
