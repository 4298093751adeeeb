"""The event log, its epoch, and its wake-up."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE events.epoch (
            number integer CONSTRAINT epoch_primary_key PRIMARY KEY,
            system_identifier bigint NOT NULL,
            begun_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE events.epoch IS
        'A restore from a logical dump resets transaction ids: a new epoch begins then.'
        """
    )
    op.execute(
        """
        CREATE FUNCTION events.current_epoch() RETURNS integer
        LANGUAGE sql STABLE PARALLEL SAFE
        BEGIN ATOMIC
            SELECT max(number) FROM events.epoch;
        END
        """
    )
    op.execute(
        """
        INSERT INTO events.epoch (number, system_identifier)
        SELECT 1, system_identifier FROM pg_control_system()
        """
    )
    op.execute(
        """
        CREATE TABLE events.event (
            sequence bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT event_primary_key PRIMARY KEY,
            epoch integer NOT NULL DEFAULT events.current_epoch(),
            transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
            id uuid NOT NULL CONSTRAINT event_id_unique UNIQUE,
            type text NOT NULL,
            source text NOT NULL,
            subject text NOT NULL,
            time timestamptz NOT NULL,
            data jsonb NOT NULL
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE events.event IS
        'Append-only log of CloudEvents 1.0. Readers follow (epoch, transaction, sequence).'
        """
    )
    op.execute("CREATE INDEX event_order_index ON events.event (epoch, transaction_id, sequence)")
    # One notification for each writing transaction: PostgreSQL folds equal ones into one.
    op.execute(
        """
        CREATE FUNCTION events.wake_consumers() RETURNS trigger
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


def downgrade() -> None:
    op.execute("DROP TABLE events.event")
    op.execute("DROP FUNCTION events.wake_consumers()")
    op.execute("DROP FUNCTION events.current_epoch()")
    op.execute("DROP TABLE events.epoch")
