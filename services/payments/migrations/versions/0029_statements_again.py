"""A statement that was superseded may be sent again."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE payments.statement "
        "DROP CONSTRAINT statement_provider_number_day_content_digest_unique"
    )


def downgrade() -> None:
    """Of files that were sent again, the first keeps its digest: the others' are changed."""
    op.execute(
        """
        UPDATE payments.statement SET content_digest = sha256(content_digest || uuid_send(id))
        WHERE EXISTS (
            SELECT FROM payments.statement AS earlier
            WHERE earlier.provider_number = statement.provider_number
              AND earlier.day = statement.day
              AND earlier.content_digest = statement.content_digest
              AND earlier.number < statement.number
        )
        """
    )
    op.execute(
        "ALTER TABLE payments.statement "
        "ADD CONSTRAINT statement_provider_number_day_content_digest_unique "
        "UNIQUE (provider_number, day, content_digest)"
    )
