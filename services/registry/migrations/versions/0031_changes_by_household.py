"""Changes are looked for by their household alone: one index is enough, and each costs less."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace_primary_key("household_id, sequence")
    op.execute("DROP INDEX registry.household_change_household_id_sequence_index")


def downgrade() -> None:
    op.execute(
        "CREATE INDEX household_change_household_id_sequence_index "
        "ON registry.household_change (household_id, sequence)"
    )
    _replace_primary_key("sequence")


def _replace_primary_key(columns: str) -> None:
    op.execute(
        f"""
        ALTER TABLE registry.household_change
            DROP CONSTRAINT household_change_primary_key,
            ADD CONSTRAINT household_change_primary_key PRIMARY KEY ({columns})
        """
    )
