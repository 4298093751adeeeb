"""A list of cash payments says how its commune is called."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

UPGRADE = (
    """
    ALTER TABLE payments.cash_list
        ADD COLUMN area_name_en text,
        ADD COLUMN area_name_km text,
        ADD CONSTRAINT cash_list_name_is_whole_check
            CHECK (num_nulls(area_name_en, area_name_km) IN (0, 2))
    """,
)

DOWNGRADE = (
    """
    ALTER TABLE payments.cash_list
        DROP CONSTRAINT cash_list_name_is_whole_check,
        DROP COLUMN area_name_en,
        DROP COLUMN area_name_km
    """,
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
