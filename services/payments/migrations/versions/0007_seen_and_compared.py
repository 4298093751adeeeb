"""What has no good end is told and cleared, and what has its end is compared with the providers."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

ALARMS = (
    "pending_too_long",
    "unknown_too_long",
    "unknown_status",
    "provider_not_configured",
    "settled_not_booked",
)

TABLES = """
ALTER TABLE payments.alarm
    ALTER COLUMN instruction_id DROP NOT NULL,
    ADD COLUMN provider_number smallint,
    ADD COLUMN cleared_at timestamptz,
    ADD COLUMN cleared_by text,
    ADD COLUMN cleared_reason text,
    ADD CONSTRAINT alarm_is_about_a_thing_check
        CHECK (num_nulls(instruction_id, provider_number) = 1);
CREATE UNIQUE INDEX alarm_of_a_provider_index ON payments.alarm (provider_number, kind)
    WHERE instruction_id IS NULL;
CREATE INDEX alarm_open_index ON payments.alarm (number) WHERE cleared_at IS NULL;

CREATE TYPE payments.sweep_finding AS ENUM ('agrees', 'differs', 'unanswered');

CREATE TABLE payments.sweep (
    id uuid NOT NULL,
    activation_id uuid,
    provider text,
    settled boolean NOT NULL,
    rejected boolean NOT NULL,
    sample integer,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT sweep_primary_key PRIMARY KEY (id),
    CONSTRAINT sweep_is_about_an_end_check CHECK (settled OR rejected)
);
CREATE INDEX sweep_unfinished_index ON payments.sweep (requested_at) WHERE finished_at IS NULL;
COMMENT ON TABLE payments.sweep IS
'Payments that have their end here, compared with the providers'' books.';

CREATE TABLE payments.sweep_item (
    sweep_id uuid NOT NULL,
    instruction_id uuid NOT NULL,
    provider_number smallint NOT NULL,
    asked smallint DEFAULT 0 NOT NULL,
    ask_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    finding payments.sweep_finding,
    detail text,
    CONSTRAINT sweep_item_primary_key PRIMARY KEY (sweep_id, instruction_id)
);
CREATE INDEX sweep_item_open_index ON payments.sweep_item (provider_number, ask_at)
    WHERE finding IS NULL;
COMMENT ON TABLE payments.sweep_item IS
'The payments of a sweep, and what their provider says of each.';
"""

GRANTS = f"""
GRANT UPDATE (raised_at, cleared_at, cleared_by, cleared_reason) ON payments.alarm TO {ROLE};
GRANT SELECT, INSERT, UPDATE (finished_at) ON payments.sweep TO {ROLE};
GRANT SELECT, INSERT, UPDATE (asked, ask_at, finding, detail) ON payments.sweep_item TO {ROLE};
"""


def upgrade() -> None:
    for kind in ALARMS:
        op.execute(f"ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS '{kind}'")
    execute_each(TABLES)
    execute_each(GRANTS)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    execute_each(
        """
        DROP TABLE payments.sweep_item;
        DROP TABLE payments.sweep;
        DROP TYPE payments.sweep_finding;
        DELETE FROM payments.alarm WHERE instruction_id IS NULL;
        ALTER TABLE payments.alarm
            DROP COLUMN provider_number,
            DROP COLUMN cleared_at,
            DROP COLUMN cleared_by,
            DROP COLUMN cleared_reason,
            ALTER COLUMN instruction_id SET NOT NULL;
        """
    )
