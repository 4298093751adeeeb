"""Whether providers answer is kept, and told when one does not."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

UPGRADE = f"""
CREATE TABLE payments.provider_health (
    provider_number smallint NOT NULL,
    last_reply_at timestamptz,
    last_failure_at timestamptz,
    last_failure text,
    failing_since timestamptz,
    CONSTRAINT provider_health_primary_key PRIMARY KEY (provider_number)
);
COMMENT ON TABLE payments.provider_health IS
'Whether a provider answers, as its workers saw it last.';
GRANT SELECT, INSERT, UPDATE (last_reply_at, last_failure_at, last_failure, failing_since)
    ON payments.provider_health TO {ROLE};
CREATE TABLE payments.provider_minute (
    provider_number smallint NOT NULL,
    minute timestamptz NOT NULL,
    replies integer NOT NULL,
    failures integer NOT NULL,
    sent_minor bigint NOT NULL,
    CONSTRAINT provider_minute_primary_key PRIMARY KEY (provider_number, minute)
);
COMMENT ON TABLE payments.provider_minute IS
'Answers of a provider by the minute, and money that was sent to it.';
GRANT SELECT, INSERT, UPDATE (replies, failures, sent_minor) ON payments.provider_minute TO {ROLE};
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS 'provider_down'")
    execute_each(UPGRADE)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out. Alarms of the kind are cleared."""
    execute_each(
        """
        UPDATE payments.alarm SET cleared_at = clock_timestamp()
        WHERE kind = 'provider_down' AND cleared_at IS NULL;
        DROP TABLE payments.provider_minute;
        DROP TABLE payments.provider_health;
        """
    )
