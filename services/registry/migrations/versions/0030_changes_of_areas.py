"""What changed in an area is found commune by commune."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX household_area_code_changed_in_id_index "
        "ON registry.household (area_code, changed_in, id)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX registry.household_area_code_changed_in_id_index")
