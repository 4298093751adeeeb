"""What persons are found by when somebody knows their name."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_FOUND = ("household", "member")


def upgrade() -> None:
    # Null until `python -m services reindex`, or the next change: nothing is rewritten here.
    for table in (*_FOUND, "member_change"):
        op.execute(f"ALTER TABLE registry.{table} ADD COLUMN name_tokens bigint[]")
    for table in _FOUND:
        op.execute(
            f"CREATE INDEX {table}_name_tokens_index ON registry.{table} USING gin (name_tokens)"
        )


def downgrade() -> None:
    for table in _FOUND:
        op.execute(f"DROP INDEX registry.{table}_name_tokens_index")
    for table in (*_FOUND, "member_change"):
        op.execute(f"ALTER TABLE registry.{table} DROP COLUMN name_tokens")
