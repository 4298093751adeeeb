"""What changes of a member changes its household too: whoever follows changes hears of it."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
CREATE FUNCTION registry.mark_households_of_members() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE registry.household SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT household_id FROM after) AND changed_in <> pg_current_xact_id();
    RETURN NULL;
END
$$
"""
    )
    op.execute(
        """
CREATE TRIGGER member_changes_household AFTER UPDATE ON registry.member
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.mark_households_of_members()
"""
    )
    # Until now a member changed without its household: whatever came since the last look is to be
    # looked at by that, and so all is looked at once more.
    op.execute(
        "ALTER TABLE registry.duplicate_look ALTER COLUMN seen_before TYPE xid8 USING '3'::xid8"
    )


def downgrade() -> None:
    op.execute(
        "ALTER TABLE registry.duplicate_look "
        "ALTER COLUMN seen_before TYPE bigint USING seen_before::text::bigint"
    )
    op.execute("DROP TRIGGER member_changes_household ON registry.member")
    op.execute("DROP FUNCTION registry.mark_households_of_members()")
