"""What a publisher said in another unit is kept beside the figure that it became."""

from alembic import op

from shared.migrations import execute_each

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE triggers.observation ADD COLUMN said_value numeric(18, 6), ADD COLUMN said_unit text,
    ADD CONSTRAINT observation_said_in_a_unit_check
        CHECK (said_value IS NULL OR said_unit IS NOT NULL) NOT VALID;
ALTER TABLE triggers.observation VALIDATE CONSTRAINT observation_said_in_a_unit_check;
COMMENT ON COLUMN triggers.observation.said_value IS 'As published, in another unit.';
COMMENT ON COLUMN triggers.observation.said_unit IS
    'In which it was published; null: in the indicator''s.';
ALTER TABLE triggers.feed_pull ADD COLUMN set_aside integer DEFAULT 0 NOT NULL;
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE triggers.feed_pull DROP COLUMN set_aside")
    op.execute("ALTER TABLE triggers.observation DROP COLUMN said_unit, DROP COLUMN said_value")
