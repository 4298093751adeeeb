"""Whoever posted what a step follows from does not approve it, and what came of it is kept."""

from alembic import op

from shared.migrations import role_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = role_of("payments")


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE payments.approval
            ALTER COLUMN reason DROP NOT NULL,
            ADD COLUMN evidence_by text[] DEFAULT '{}' NOT NULL,
            ADD COLUMN outcome text,
            ADD CONSTRAINT approval_checker_is_not_in_the_evidence_check
                CHECK (decision IS DISTINCT FROM 'approved' OR decided_by <> ALL (evidence_by))
        """
    )
    op.execute(f"GRANT UPDATE (outcome) ON payments.approval TO {ROLE}")


def downgrade() -> None:
    op.execute(
        """
        ALTER TABLE payments.approval
            DROP CONSTRAINT approval_checker_is_not_in_the_evidence_check,
            DROP COLUMN outcome,
            DROP COLUMN evidence_by
        """
    )
    op.execute("UPDATE payments.approval SET reason = 'Not said.' WHERE reason IS NULL")
    op.execute("ALTER TABLE payments.approval ALTER COLUMN reason SET NOT NULL")
