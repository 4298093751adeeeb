"""The wake-up names the types of the new events: who has no handler for them sleeps on."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER event_wakes_consumers ON events.event")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION events.wake_consumers() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('events', string_agg(DISTINCT type, ',')) FROM written;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER event_wakes_consumers AFTER INSERT ON events.event
        REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION events.wake_consumers()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER event_wakes_consumers ON events.event")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION events.wake_consumers() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('events', '');
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER event_wakes_consumers AFTER INSERT ON events.event
        FOR EACH STATEMENT EXECUTE FUNCTION events.wake_consumers()
        """
    )
