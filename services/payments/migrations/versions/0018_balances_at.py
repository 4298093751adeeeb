"""Balances at any past moment are read from an index over the transfers."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for side in ("debit", "credit"):
        op.execute(
            f"""
            CREATE INDEX transfer_{side}_index
                ON payments.transfer ({side}_account, posted_at) INCLUDE (amount_minor)
            """
        )


def downgrade() -> None:
    for side in ("debit", "credit"):
        op.execute(f"DROP INDEX payments.transfer_{side}_index")
