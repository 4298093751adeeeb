"""Feeds: what is published somewhere, fetched by schedule and recorded."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
CREATE TYPE triggers.feed_alarm AS ENUM ('failing', 'silent');
CREATE TYPE triggers.feed_outcome AS ENUM ('read', 'unchanged', 'unreadable', 'failed');
CREATE TABLE triggers.feed (
    code text NOT NULL,
    version integer NOT NULL,
    document jsonb NOT NULL,
    posted_by text NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT feed_primary_key PRIMARY KEY (code, version),
    CONSTRAINT feed_version_counts_from_one_check CHECK (version >= 1)
);
COMMENT ON TABLE triggers.feed IS 'Versioned documents; never updated.';
GRANT SELECT, INSERT ON triggers.feed TO {ROLE};
CREATE TABLE triggers.feed_state (
    code text NOT NULL,
    version integer NOT NULL,
    pull_at timestamptz,
    leased_until timestamptz,
    failures integer DEFAULT 0 NOT NULL,
    etag text,
    last_modified text,
    digest text,
    watched_since timestamptz NOT NULL,
    answered_at timestamptz,
    new_at timestamptz,
    alarm triggers.feed_alarm,
    alarmed_at timestamptz,
    CONSTRAINT feed_state_primary_key PRIMARY KEY (code),
    CONSTRAINT feed_state_feed_foreign_key
        FOREIGN KEY (code, version) REFERENCES triggers.feed (code, version),
    CONSTRAINT feed_state_alarm_since_check CHECK ((alarm IS NULL) = (alarmed_at IS NULL))
);
COMMENT ON COLUMN triggers.feed_state.version IS 'In force.';
COMMENT ON COLUMN triggers.feed_state.pull_at IS
    'By the machine''s clock; null: it is retired.';
COMMENT ON COLUMN triggers.feed_state.leased_until IS 'Until when one worker pulls it.';
COMMENT ON COLUMN triggers.feed_state.failures IS 'Since it was well.';
COMMENT ON COLUMN triggers.feed_state.digest IS 'SHA-256 of what was read last.';
COMMENT ON COLUMN triggers.feed_state.answered_at IS 'The last answer that could be read.';
COMMENT ON COLUMN triggers.feed_state.new_at IS 'The last answer with new figures.';
CREATE INDEX feed_state_pull_at_index ON triggers.feed_state (pull_at)
    WHERE pull_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON triggers.feed_state TO {ROLE};
CREATE TABLE triggers.feed_pull (
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    feed_code text NOT NULL,
    feed_version integer NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    outcome triggers.feed_outcome NOT NULL,
    status integer,
    detail text,
    seen integer NOT NULL,
    recorded integer NOT NULL,
    unchanged integer NOT NULL,
    refused integer NOT NULL,
    refusals jsonb NOT NULL,
    etag text,
    digest text,
    CONSTRAINT feed_pull_primary_key PRIMARY KEY (sequence),
    CONSTRAINT feed_pull_feed_foreign_key
        FOREIGN KEY (feed_code, feed_version) REFERENCES triggers.feed (code, version)
);
COMMENT ON COLUMN triggers.feed_pull.status IS 'Of HTTP; null: no answer.';
COMMENT ON COLUMN triggers.feed_pull.detail IS 'Why nothing was read.';
COMMENT ON COLUMN triggers.feed_pull.refusals IS 'The first of them, each with its reason.';
COMMENT ON COLUMN triggers.feed_pull.digest IS 'SHA-256 of the body.';
CREATE INDEX feed_pull_feed_code_sequence_index ON triggers.feed_pull (feed_code, sequence);
GRANT SELECT, INSERT ON triggers.feed_pull TO {ROLE}
"""

DOWN = """
DROP TABLE triggers.feed_pull;
DROP TABLE triggers.feed_state;
DROP TABLE triggers.feed;
DROP TYPE triggers.feed_outcome;
DROP TYPE triggers.feed_alarm
"""


def upgrade() -> None:
    op.execute("ALTER TYPE triggers.approval_kind ADD VALUE IF NOT EXISTS 'feed'")
    execute_each(UP)


def downgrade() -> None:
    """Leaves the values of enums where they are: one is never removed."""
    execute_each(DOWN)
