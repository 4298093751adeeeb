"""What is automatic has a ceiling: above it a run is held, and a person asked."""

from alembic import op

from shared.migrations import role_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = role_of("registry")
KINDS = ("over_ceiling", "round_release", "repair", "account_change", "imported_accounts")


def upgrade() -> None:
    for kind in KINDS:
        op.execute(f"ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS '{kind}'")
    # What opened before there were ceilings was let through by the rules of then, and goes on.
    op.execute(
        """
        ALTER TABLE registry.activation
            ADD COLUMN has_ceiling boolean DEFAULT false NOT NULL,
            ADD COLUMN ceiling_households integer,
            ADD COLUMN ceiling_minor bigint,
            ADD COLUMN allowed_households integer DEFAULT 0 NOT NULL,
            ADD COLUMN allowed_minor bigint DEFAULT 0 NOT NULL
        """
    )
    op.execute("ALTER TABLE registry.activation ALTER COLUMN has_ceiling SET DEFAULT true")
    op.execute(
        f"""
        GRANT UPDATE (has_ceiling, ceiling_households, ceiling_minor, allowed_households,
            allowed_minor) ON registry.activation TO {ROLE}
        """
    )
    op.execute(
        """
        ALTER TABLE registry.enrolment_run
            ADD COLUMN held_at timestamptz,
            ADD COLUMN approval_id uuid,
            ADD CONSTRAINT enrolment_run_approval_id_foreign_key
                FOREIGN KEY (approval_id) REFERENCES registry.approval (id),
            ADD CONSTRAINT enrolment_run_held_for_someone_check
                CHECK ((held_at IS NULL) = (approval_id IS NULL))
        """
    )
    op.execute(
        """
        CREATE INDEX enrolment_run_held_index ON registry.enrolment_run (held_at, id)
        WHERE held_at IS NOT NULL AND completed_at IS NULL
        """
    )
    op.execute(f"GRANT UPDATE (held_at, approval_id) ON registry.enrolment_run TO {ROLE}")
    op.execute(
        """
        ALTER TABLE registry.repair
            ADD COLUMN approval_id uuid,
            ADD CONSTRAINT repair_approval_id_foreign_key
                FOREIGN KEY (approval_id) REFERENCES registry.approval (id)
        """
    )
    op.execute(
        """
        CREATE TABLE registry.fund (
            code text NOT NULL,
            currency text NOT NULL,
            maximum_payment_minor bigint NOT NULL,
            CONSTRAINT fund_primary_key PRIMARY KEY (code)
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.fund IS
        'Funds with what their owners let them pay to one household, as payments told it last.'
        """
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON registry.fund TO {ROLE}")


def downgrade() -> None:
    """The kinds of steps stay: PostgreSQL takes no value out of an enum."""
    op.execute("DROP TABLE registry.fund")
    op.execute("ALTER TABLE registry.repair DROP COLUMN approval_id")
    op.execute("DROP INDEX registry.enrolment_run_held_index")
    op.execute(
        """
        ALTER TABLE registry.enrolment_run
            DROP CONSTRAINT enrolment_run_held_for_someone_check,
            DROP COLUMN approval_id,
            DROP COLUMN held_at
        """
    )
    op.execute(
        """
        ALTER TABLE registry.activation
            DROP COLUMN allowed_minor,
            DROP COLUMN allowed_households,
            DROP COLUMN ceiling_minor,
            DROP COLUMN ceiling_households,
            DROP COLUMN has_ceiling
        """
    )
