"""What payments counted of a chunk that has payments open."""

from alembic import op

from shared.migrations import role_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE registry.payment_count (
            chunk_id uuid NOT NULL,
            counted_at timestamptz NOT NULL,
            paid_count integer NOT NULL,
            paid_minor bigint NOT NULL,
            failed_count integer NOT NULL,
            failed_minor bigint NOT NULL,
            CONSTRAINT payment_count_primary_key PRIMARY KEY (chunk_id),
            CONSTRAINT payment_count_chunk_id_foreign_key FOREIGN KEY (chunk_id)
                REFERENCES registry.entitlement_chunk (id)
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.payment_count IS
        'What payments counted last of a chunk, until its outcomes say it of each entitlement.'
        """
    )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (counted_at, paid_count, paid_minor, failed_count, "
        f"failed_minor) ON registry.payment_count TO {ROLE}"
    )


def downgrade() -> None:
    op.execute("DROP TABLE registry.payment_count")
