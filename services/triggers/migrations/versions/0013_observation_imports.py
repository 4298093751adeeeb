"""Files of figures that are sent by hand."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
ALTER TYPE triggers.approval_kind ADD VALUE IF NOT EXISTS 'observation_import';
CREATE TABLE triggers.observation_import (
    id uuid NOT NULL,
    feed_code text NOT NULL,
    feed_version integer NOT NULL,
    note text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    sent_by text,
    read_at timestamptz,
    digest text,
    seen integer DEFAULT 0 NOT NULL,
    recorded integer DEFAULT 0 NOT NULL,
    unchanged integer DEFAULT 0 NOT NULL,
    set_aside integer DEFAULT 0 NOT NULL,
    refused integer DEFAULT 0 NOT NULL,
    refusals jsonb DEFAULT '[]' NOT NULL,
    proposed integer DEFAULT 0 NOT NULL,
    approval_id uuid,
    CONSTRAINT observation_import_primary_key PRIMARY KEY (id),
    CONSTRAINT observation_import_feed_foreign_key
        FOREIGN KEY (feed_code, feed_version) REFERENCES triggers.feed (code, version),
    CONSTRAINT observation_import_approval_foreign_key
        FOREIGN KEY (approval_id) REFERENCES triggers.approval (id),
    CONSTRAINT observation_import_read_with_digest_check
        CHECK ((digest IS NULL) = (read_at IS NULL))
);
COMMENT ON COLUMN triggers.observation_import.feed_version IS 'By which the file is read.';
COMMENT ON COLUMN triggers.observation_import.sent_by IS 'Whose hand the file came from.';
COMMENT ON COLUMN triggers.observation_import.read_at IS
    'Null: no file that could be read has come.';
COMMENT ON COLUMN triggers.observation_import.digest IS 'SHA-256 of the file.';
COMMENT ON COLUMN triggers.observation_import.recorded IS 'By all sendings of the file together.';
COMMENT ON COLUMN triggers.observation_import.refusals IS
    'The first of them, each with its reason.';
COMMENT ON COLUMN triggers.observation_import.proposed IS
    'Rows that a second person is, or was, asked about.';
GRANT SELECT, INSERT, UPDATE (sent_by, read_at, digest, seen, recorded, unchanged, set_aside,
    refused, refusals, proposed, approval_id) ON triggers.observation_import TO {ROLE};
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    op.execute("DROP TABLE triggers.observation_import")
