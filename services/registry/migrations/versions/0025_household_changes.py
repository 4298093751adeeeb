"""In which transaction a household changed last: by it, whoever follows changes misses none."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of those that are there already, this transaction: it is kept once, and no row is rewritten.
    op.execute(
        """
        ALTER TABLE registry.household
        ADD COLUMN changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL
        """
    )
    op.execute("CREATE INDEX household_changed_in_id_index ON registry.household (changed_in, id)")
    op.execute(
        """
        CREATE FUNCTION registry.mark_household_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed_in := pg_current_xact_id();
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER household_changed BEFORE UPDATE ON registry.household
        FOR EACH ROW EXECUTE FUNCTION registry.mark_household_changed()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER household_changed ON registry.household")
    op.execute("DROP FUNCTION registry.mark_household_changed()")
    op.execute("DROP INDEX registry.household_changed_in_id_index")
    op.execute("ALTER TABLE registry.household DROP COLUMN changed_in")
