"""Who did what, when, from where and why: recorded, and chained so that a change shows."""

from alembic import op

from shared.audit.history import audit_record, without_audit_record
from shared.migrations import role_of

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in audit_record("registry", role=role_of("registry")):
        op.execute(statement)


def downgrade() -> None:
    """What was recorded is gone with it."""
    for statement in without_audit_record("registry"):
        op.execute(statement)
