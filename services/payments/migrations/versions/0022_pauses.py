"""Payments are paused by provider, scheme, activation and area, and know their area."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = ("ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'resumption'",)

UPGRADE = f"""
CREATE TABLE payments.pause (
    id uuid NOT NULL,
    provider_number smallint,
    scheme text,
    activation_id uuid,
    area_code text,
    reason text NOT NULL,
    paused_by text NOT NULL,
    paused_at timestamptz NOT NULL,
    resumed_at timestamptz,
    CONSTRAINT pause_primary_key PRIMARY KEY (id),
    CONSTRAINT pause_provider_number_foreign_key FOREIGN KEY (provider_number)
        REFERENCES payments.provider (number),
    CONSTRAINT pause_is_of_something_check
        CHECK (num_nonnulls(provider_number, scheme, activation_id, area_code) > 0)
);
CREATE INDEX pause_in_force_index ON payments.pause (id) WHERE resumed_at IS NULL;
COMMENT ON TABLE payments.pause IS
'What is not sent for the time being, by whom and why. All that a row names has to fit.';
GRANT SELECT, INSERT, UPDATE (resumed_at) ON payments.pause TO {ROLE};
ALTER TABLE payments.instruction ADD COLUMN area_code text;
ALTER TABLE payments.chunk ADD COLUMN area_code text;
"""

DOWNGRADE = """
ALTER TABLE payments.chunk DROP COLUMN area_code;
ALTER TABLE payments.instruction DROP COLUMN area_code;
DROP TABLE payments.pause;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    execute_each(UPGRADE)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    execute_each(DOWNGRADE)
