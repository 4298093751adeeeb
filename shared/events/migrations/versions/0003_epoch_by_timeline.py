"""An epoch for each timeline: a failover or a restore with recovery may have lost commits."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION events.timeline() RETURNS integer
        LANGUAGE sql STABLE PARALLEL SAFE
        BEGIN ATOMIC
            SELECT CASE
                WHEN pg_is_in_recovery()
                THEN (SELECT timeline_id FROM pg_control_checkpoint())
                ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
            END;
        END
        """
    )
    op.execute("ALTER TABLE events.epoch ADD COLUMN timeline integer")
    op.execute("UPDATE events.epoch SET timeline = events.timeline()")
    op.execute("ALTER TABLE events.epoch ALTER COLUMN timeline SET NOT NULL")
    op.execute(
        """
        COMMENT ON TABLE events.epoch IS
        'An epoch begins where commits may have been lost, or transaction ids begin anew.'
        """
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION events.current_epoch() RETURNS integer
        LANGUAGE sql STABLE PARALLEL SAFE
        BEGIN ATOMIC
            SELECT greatest(
                latest.number,
                latest.number + events.timeline()
                - CASE WHEN latest.system_identifier = here.system_identifier
                       THEN latest.timeline ELSE 0 END
            )
            FROM events.epoch AS latest, pg_control_system() AS here
            ORDER BY latest.number DESC
            LIMIT 1;
        END
        """
    )
    op.execute(
        """
        CREATE FUNCTION events.begin_epoch() RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path TO '' AS $$
        DECLARE
            current integer := events.current_epoch();
        BEGIN
            IF NOT current_setting('transaction_read_only')::boolean
                AND NOT EXISTS (SELECT FROM events.epoch WHERE number = current)
            THEN
                INSERT INTO events.epoch (number, system_identifier, timeline)
                SELECT current, here.system_identifier, events.timeline()
                FROM pg_control_system() AS here
                ON CONFLICT (number) DO NOTHING;
            END IF;
            RETURN current;
        END
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION events.begin_epoch()")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION events.current_epoch() RETURNS integer
        LANGUAGE sql STABLE PARALLEL SAFE
        BEGIN ATOMIC
            SELECT max(number) FROM events.epoch;
        END
        """
    )
    op.execute("ALTER TABLE events.epoch DROP COLUMN timeline")
    op.execute("DROP FUNCTION events.timeline()")
    op.execute(
        """
        COMMENT ON TABLE events.epoch IS
        'A restore from a logical dump resets transaction ids: a new epoch begins then.'
        """
    )
