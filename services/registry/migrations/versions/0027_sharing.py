"""For what each partner is shown persons: what households agree to, or do not."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE registry.partner ADD COLUMN purpose text NOT NULL DEFAULT 'sharing'")
    op.execute(
        "ALTER TABLE registry.partner ADD CONSTRAINT partner_purpose_plain_check "
        "CHECK (purpose ~ '^[a-z][a-z0-9-]{1,39}$')"
    )
    op.execute(
        "CREATE INDEX household_consent_household_id_purpose_index "
        "ON registry.household_consent (household_id, purpose)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX registry.household_consent_household_id_purpose_index")
    op.execute("ALTER TABLE registry.partner DROP COLUMN purpose")
