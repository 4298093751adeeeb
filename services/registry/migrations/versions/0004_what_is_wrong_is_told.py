"""Providers as payments tells them; why an activation enrols nobody, or not everywhere."""

from shared.migrations import execute_each, role_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = role_of("registry")

UP = f"""
CREATE TABLE registry.provider (
    code text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT provider_primary_key PRIMARY KEY (code)
);
COMMENT ON TABLE registry.provider IS
'Providers as payments told them; empty: it told of none yet.';
COMMENT ON COLUMN registry.provider.currency IS 'ISO 4217: what it pays out.';
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.provider TO {ROLE};
ALTER TABLE registry.activation
    ALTER COLUMN scheme_version DROP NOT NULL,
    ADD COLUMN not_enrolled text,
    ADD COLUMN areas_refused jsonb NOT NULL DEFAULT '{{}}'::jsonb,
    ADD COLUMN cancelled_on date,
    ADD CONSTRAINT activation_enrolled_by_a_version_check
        CHECK ((scheme_version IS NULL) = (not_enrolled IS NOT NULL));
GRANT UPDATE (areas_refused, scheme_version, not_enrolled, cancelled_on)
    ON registry.activation TO {ROLE}
"""

DOWN = f"""
REVOKE UPDATE (areas_refused, scheme_version, not_enrolled, cancelled_on)
    ON registry.activation FROM {ROLE};
ALTER TABLE registry.activation
    DROP CONSTRAINT activation_enrolled_by_a_version_check,
    DROP COLUMN cancelled_on,
    DROP COLUMN areas_refused,
    DROP COLUMN not_enrolled,
    ALTER COLUMN scheme_version SET NOT NULL;
DROP TABLE registry.provider
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    """Fails where an activation waits for its scheme: nothing of before could keep it."""
    execute_each(DOWN)
