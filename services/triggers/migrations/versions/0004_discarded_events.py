"""An event that failed can be discarded, with a reason, and says since when it fails."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE triggers.dead_letter
            ADD COLUMN first_failed_at timestamptz,
            ADD COLUMN discarded_at timestamptz,
            ADD COLUMN discarded_by text,
            ADD COLUMN discard_reason text,
            ADD CONSTRAINT dead_letter_discarded_check
                CHECK (num_nulls(discarded_at, discarded_by, discard_reason) IN (0, 3))
        """
    )
    op.execute("UPDATE triggers.dead_letter SET first_failed_at = failed_at")
    op.execute(
        """
        ALTER TABLE triggers.dead_letter
            ALTER COLUMN first_failed_at SET DEFAULT now(),
            ALTER COLUMN first_failed_at SET NOT NULL
        """
    )
    op.execute(
        """
        COMMENT ON TABLE triggers.dead_letter IS
        'Events whose handler failed: parked here, visible, and replayed or discarded by a person.'
        """
    )


def downgrade() -> None:
    """What was discarded is listed again."""
    op.execute(
        """
        ALTER TABLE triggers.dead_letter
            DROP CONSTRAINT dead_letter_discarded_check,
            DROP COLUMN discard_reason,
            DROP COLUMN discarded_by,
            DROP COLUMN discarded_at,
            DROP COLUMN first_failed_at
        """
    )
    op.execute(
        """
        COMMENT ON TABLE triggers.dead_letter IS
        'Events whose handler failed: parked here, visible, and replayable.'
        """
    )
