"""Who did what, when, from where and why: recorded, and chained so that a change shows."""

from alembic import op

from shared.audit.history import audit_record, without_audit_record
from shared.migrations import role_of

revision = "0020"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in audit_record("registry", role=role_of("registry")):
        op.execute(statement)
    op.execute("ALTER TABLE registry.payee_account ADD COLUMN posted_by text")
    op.execute("ALTER TABLE registry.household_import ADD COLUMN sent_by text")


def downgrade() -> None:
    """What was recorded is gone with it."""
    op.execute("ALTER TABLE registry.household_import DROP COLUMN sent_by")
    op.execute("ALTER TABLE registry.payee_account DROP COLUMN posted_by")
    for statement in without_audit_record("registry"):
        op.execute(statement)
