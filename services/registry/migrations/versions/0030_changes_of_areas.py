"""What changed in an area is read from the index of areas, without the rows."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index("(area_code, id) INCLUDE (changed_in)")


def downgrade() -> None:
    _index("(area_code, id)")


def _index(of: str) -> None:
    op.execute("DROP INDEX registry.household_area_code_id_index")
    op.execute(f"CREATE INDEX household_area_code_id_index ON registry.household {of}")
