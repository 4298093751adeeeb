"""Providers as payments tells them."""

from alembic import op

from shared.migrations import role_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = role_of("registry")

UP = f"""
CREATE TABLE registry.provider (
    code text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT provider_primary_key PRIMARY KEY (code)
);
COMMENT ON TABLE registry.provider IS
'Providers as payments told them; empty: it told of none yet.';
COMMENT ON COLUMN registry.provider.currency IS 'ISO 4217: what it pays out.';
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.provider TO {ROLE}
"""

DOWN = """
DROP TABLE registry.provider
"""


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)


def _execute(statements: str) -> None:
    # The driver takes one statement at a time.
    for statement in statements.split(";\n"):
        op.execute(statement)
