"""What changes of a member changes its household too: whoever follows changes hears of it."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_TRIGGERS = {"member_comes_to_household": "INSERT", "member_changes_household": "UPDATE"}


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
    for trigger, event in _TRIGGERS.items():
        op.execute(
            f"""
CREATE TRIGGER {trigger} AFTER {event} ON registry.member
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.mark_households_of_members()
"""
        )


def downgrade() -> None:
    for trigger in _TRIGGERS:
        op.execute(f"DROP TRIGGER {trigger} ON registry.member")
    op.execute("DROP FUNCTION registry.mark_households_of_members()")
