"""A place says no more which areas it speaks for: a definition does, and nothing read this."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE triggers.place DROP COLUMN reaches")


def downgrade() -> None:
    """Each speaks for the area in which it lies, as where nothing was said."""
    op.execute(
        """
        ALTER TABLE triggers.place ADD COLUMN reaches text[] NOT NULL DEFAULT '{}';
        """
    )
    op.execute("UPDATE triggers.place SET reaches = ARRAY[area_code]")
    op.execute("ALTER TABLE triggers.place ALTER COLUMN reaches DROP DEFAULT")
    op.execute(
        "COMMENT ON COLUMN triggers.place.reaches IS 'The areas that its figures stand for.'"
    )
