"""Standings: from where the history of a trigger is told on."""

from shared.migrations import execute_each, role_of

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
CREATE TABLE triggers.trigger_standing (
    trigger_code text NOT NULL,
    trigger_version integer NOT NULL,
    told_to date NOT NULL,
    known_at timestamptz NOT NULL,
    told_by text NOT NULL,
    standing jsonb NOT NULL,
    CONSTRAINT trigger_standing_primary_key PRIMARY KEY (trigger_code, trigger_version, told_to),
    CONSTRAINT trigger_standing_trigger_foreign_key
        FOREIGN KEY (trigger_code, trigger_version)
        REFERENCES triggers.trigger_definition (code, version)
);
COMMENT ON COLUMN triggers.trigger_standing.told_to IS
    'The day at the end of which it stood so.';
COMMENT ON COLUMN triggers.trigger_standing.known_at IS
    'By what was known until then; what became known later is held against told_to.';
COMMENT ON COLUMN triggers.trigger_standing.told_by IS
    'The product''s version: another tells the history from its beginning.';
GRANT SELECT, INSERT, UPDATE (known_at, told_by, standing), DELETE
    ON triggers.trigger_standing TO {ROLE};
"""

DOWN = "DROP TABLE triggers.trigger_standing"


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    execute_each(DOWN)
