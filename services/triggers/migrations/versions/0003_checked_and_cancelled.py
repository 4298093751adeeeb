"""Activations that are cancelled or corrected, and areas that are known to be there."""

from shared.migrations import execute_each, role_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
ALTER TYPE triggers.activation_state ADD VALUE IF NOT EXISTS 'cancelled';
CREATE TABLE triggers.known_area (
    code text NOT NULL,
    heard_at timestamptz NOT NULL,
    CONSTRAINT known_area_primary_key PRIMARY KEY (code)
);
COMMENT ON TABLE triggers.known_area IS 'Areas of which the registry said that they are there.';
GRANT SELECT, INSERT ON triggers.known_area TO {ROLE};
ALTER TABLE triggers.activation_area
    ADD COLUMN refused_at timestamptz,
    ADD COLUMN refused_by text,
    ADD CONSTRAINT activation_area_refused_by_someone_check
        CHECK ((refused_at IS NULL) = (refused_by IS NULL));
GRANT UPDATE (refused_at, refused_by) ON triggers.activation_area TO {ROLE}
"""

DOWN = f"""
REVOKE UPDATE (refused_at, refused_by) ON triggers.activation_area FROM {ROLE};
ALTER TABLE triggers.activation_area
    DROP CONSTRAINT activation_area_refused_by_someone_check,
    DROP COLUMN refused_by,
    DROP COLUMN refused_at;
DROP TABLE triggers.known_area
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    """Leaves the state where it is: a value of an enum is never removed."""
    execute_each(DOWN)
