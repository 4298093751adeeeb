"""Answers to repeats are kept for a time."""

from alembic import op

from shared.migrations import role_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")


def upgrade() -> None:
    op.execute(f"GRANT DELETE ON triggers.idempotency_key TO {ROLE}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON triggers.idempotency_key FROM {ROLE}")
