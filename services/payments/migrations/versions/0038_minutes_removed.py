"""How often providers answered in each minute is removed when its time is over."""

from alembic import op

from shared.migrations import role_of

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

ROLE = role_of("payments")


def upgrade() -> None:
    op.execute(f"GRANT DELETE ON payments.provider_minute TO {ROLE}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON payments.provider_minute FROM {ROLE}")
