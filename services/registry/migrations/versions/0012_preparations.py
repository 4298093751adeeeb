"""What the scheme of a trigger that is ready would come to, and whose accounts are missing."""

from alembic import op

from shared.migrations import role_of

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE registry.preparation (
            readiness_id uuid NOT NULL,
            trigger text NOT NULL,
            scheme_code text NOT NULL,
            areas text[] COLLATE "C" NOT NULL,
            area_filter text,
            readied_on date NOT NULL,
            stood_down_on date,
            counted_at timestamptz NOT NULL,
            not_counted text,
            fund text,
            currency text,
            households integer,
            amount_minor bigint,
            without_account integer,
            without_provider integer,
            CONSTRAINT preparation_primary_key PRIMARY KEY (readiness_id)
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.preparation IS
        'What was counted when a trigger became ready: whom its scheme would pay, and whose '
        'accounts have to be mended first.'
        """
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON registry.preparation TO {ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE registry.preparation")
