"""A suspicion knows what merges its households, that they are one, and which one it went on in."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    for step in ("declined", "merged"):
        op.execute(f"ALTER TYPE registry.duplicate_step ADD VALUE IF NOT EXISTS '{step}'")
    execute_each(
        """
        ALTER TABLE registry.duplicate_suspect
            ADD COLUMN merger_id uuid,
            ADD COLUMN settled_at timestamptz,
            ADD COLUMN passed_to uuid,
            ADD CONSTRAINT duplicate_suspect_merger_id_foreign_key
                FOREIGN KEY (merger_id) REFERENCES registry.approval (id),
            ADD CONSTRAINT duplicate_suspect_passed_to_foreign_key
                FOREIGN KEY (passed_to) REFERENCES registry.duplicate_suspect (id),
            ADD CONSTRAINT duplicate_suspect_settled_by_a_merger_check
                CHECK (settled_at IS NULL OR decision = 'merge');
        CREATE INDEX duplicate_suspect_first_household_id_index
            ON registry.duplicate_suspect (first_household_id);
        CREATE INDEX duplicate_suspect_second_household_id_index
            ON registry.duplicate_suspect (second_household_id);
        CREATE INDEX duplicate_suspect_merger_id_index
            ON registry.duplicate_suspect (merger_id) WHERE merger_id IS NOT NULL;
        CREATE INDEX duplicate_suspect_passed_to_index
            ON registry.duplicate_suspect (passed_to) WHERE passed_to IS NOT NULL
        """
    )
    op.execute(
        f"GRANT UPDATE (merger_id, settled_at, passed_to) ON registry.duplicate_suspect TO {ROLE}"
    )


def downgrade() -> None:
    """What merged whom is lost here; households keep it. Values of enumerations stay."""
    op.execute(
        "ALTER TABLE registry.duplicate_suspect "
        "DROP COLUMN merger_id, DROP COLUMN settled_at, DROP COLUMN passed_to"
    )
    op.execute("DROP INDEX registry.duplicate_suspect_first_household_id_index")
    op.execute("DROP INDEX registry.duplicate_suspect_second_household_id_index")
