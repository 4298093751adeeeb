"""What waits for a second person, who stands behind a figure, and up to where an activation pays.

Whatever was announced stays announced. What was only proposed is weighed anew, and so gets its
proposal.
"""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

KINDS = ("observations", "activation", "declaration", "widening", "correction", "cancellation")

UP = f"""
ALTER TYPE triggers.activation_state ADD VALUE IF NOT EXISTS 'expired';
ALTER TABLE triggers.observation
    ADD COLUMN published boolean DEFAULT false NOT NULL,
    ADD COLUMN approved_by text;
COMMENT ON COLUMN triggers.observation.published IS 'A publisher''s own client posted it.';
COMMENT ON COLUMN triggers.observation.approved_by IS
    'The second person; null: a publisher''s, or one person''s alone.';
ALTER TABLE triggers.activation
    ADD COLUMN approval_id uuid,
    ADD COLUMN weigh_at timestamptz,
    ADD COLUMN weighing_since timestamptz,
    ADD COLUMN ceiling_households integer,
    ADD COLUMN ceiling_minor bigint,
    ADD CONSTRAINT activation_approval_id_foreign_key
        FOREIGN KEY (approval_id) REFERENCES triggers.approval (id);
ALTER TABLE triggers.activation ALTER COLUMN weigh_at SET DEFAULT clock_timestamp();
COMMENT ON COLUMN triggers.activation.approval_id IS
    'The latest proposal to open or to widen it.';
COMMENT ON COLUMN triggers.activation.weigh_at IS
    'When it is held against its ceiling; null: not until more evidence comes.';
COMMENT ON COLUMN triggers.activation.weighing_since IS
    'Since when the registry is asked in vain.';
CREATE INDEX activation_weighing_index ON triggers.activation (weigh_at)
    WHERE weigh_at IS NOT NULL;
CREATE INDEX activation_live_approval_index ON triggers.activation (approval_id)
    WHERE state IN ('proposed', 'open');
GRANT UPDATE (approval_id, weigh_at, weighing_since, ceiling_households, ceiling_minor)
    ON triggers.activation TO {ROLE};
ALTER TABLE triggers.activation_area
    ADD COLUMN announced_at timestamptz,
    ADD COLUMN declined_at timestamptz,
    ADD COLUMN declined_by text,
    ADD CONSTRAINT activation_area_declined_by_someone_check
        CHECK ((declined_at IS NULL) = (declined_by IS NULL)),
    ADD CONSTRAINT activation_area_declined_is_not_announced_check
        CHECK (announced_at IS NULL OR declined_at IS NULL);
ALTER TABLE triggers.activation_area ALTER COLUMN announced_at SET DEFAULT now();
COMMENT ON COLUMN triggers.activation_area.announced_at IS
    'When the registry was told to enrol there; null: it waits, or was declined.';
GRANT UPDATE (added_at, added_by, announced_at, declined_at, declined_by)
    ON triggers.activation_area TO {ROLE};
UPDATE triggers.activation_area AS area SET announced_at = area.added_at
    FROM triggers.activation
    WHERE activation.id = area.activation_id AND activation.opened_on IS NOT NULL;
UPDATE triggers.activation SET weigh_at = clock_timestamp() WHERE state = 'proposed'
"""

DOWN = f"""
REVOKE UPDATE (added_at, added_by, announced_at, declined_at, declined_by)
    ON triggers.activation_area FROM {ROLE};
ALTER TABLE triggers.activation_area
    DROP CONSTRAINT activation_area_declined_by_someone_check,
    DROP CONSTRAINT activation_area_declined_is_not_announced_check,
    DROP COLUMN declined_by,
    DROP COLUMN declined_at,
    DROP COLUMN announced_at;
REVOKE UPDATE (approval_id, weigh_at, weighing_since, ceiling_households, ceiling_minor)
    ON triggers.activation FROM {ROLE};
ALTER TABLE triggers.activation
    DROP COLUMN ceiling_minor,
    DROP COLUMN ceiling_households,
    DROP COLUMN weighing_since,
    DROP COLUMN weigh_at,
    DROP COLUMN approval_id;
ALTER TABLE triggers.observation
    DROP COLUMN approved_by,
    DROP COLUMN published
"""


def upgrade() -> None:
    for kind in KINDS:
        op.execute(f"ALTER TYPE triggers.approval_kind ADD VALUE IF NOT EXISTS '{kind}'")
    execute_each(UP)


def downgrade() -> None:
    """Leaves the values of enums where they are: one is never removed."""
    execute_each(DOWN)
