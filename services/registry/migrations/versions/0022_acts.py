"""Households move, split, merge, are archived and erased; what they agreed to is kept."""

from alembic import op

from shared.migrations import role_of

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'household_act'")
    op.execute(
        "CREATE TYPE registry.consent_giver AS ENUM ('head', 'spouse', 'other-adult', 'guardian')"
    )
    op.execute(
        """
        CREATE TABLE registry.household_act (
            id uuid NOT NULL,
            household_id uuid NOT NULL,
            given_sealed bytea NOT NULL,
            CONSTRAINT household_act_primary_key PRIMARY KEY (id),
            CONSTRAINT household_act_id_foreign_key
                FOREIGN KEY (id) REFERENCES registry.approval (id)
        )
        """
    )
    op.execute(
        "CREATE INDEX household_act_household_id_index ON registry.household_act (household_id)"
    )
    op.execute(
        "COMMENT ON TABLE registry.household_act IS "
        "'What is personal of acts that wait, or waited, for a second person; sealed.'"
    )
    op.execute(
        """
        CREATE TABLE registry.enrolled_before (
            household_id uuid NOT NULL,
            activation_id uuid NOT NULL,
            through uuid NOT NULL,
            CONSTRAINT enrolled_before_primary_key PRIMARY KEY (household_id, activation_id)
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.enrolled_before IS "
        "'Activations in which persons of a household are enrolled through another.'"
    )
    op.execute(
        """
        CREATE TABLE registry.household_consent (
            id uuid NOT NULL,
            household_id uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            withdrawn_at timestamptz,
            given_on date NOT NULL,
            withdrawn_on date,
            given_by registry.consent_giver NOT NULL,
            purpose text NOT NULL,
            document text,
            recorded_by text NOT NULL,
            withdrawn_by text,
            CONSTRAINT household_consent_primary_key PRIMARY KEY (id),
            CONSTRAINT household_consent_household_id_foreign_key
                FOREIGN KEY (household_id) REFERENCES registry.household (id),
            CONSTRAINT household_consent_purpose_plain_check
                CHECK (purpose ~ '^[a-z][a-z0-9-]{1,39}$'),
            CONSTRAINT household_consent_withdrawn_after_it_was_given_check
                CHECK (withdrawn_on >= given_on),
            CONSTRAINT household_consent_withdrawn_is_whole_check
                CHECK (num_nulls(withdrawn_on, withdrawn_at, withdrawn_by) IN (0, 3))
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX household_consent_standing_unique "
        "ON registry.household_consent (household_id, purpose) WHERE withdrawn_on IS NULL"
    )
    op.execute(
        "COMMENT ON TABLE registry.household_consent IS "
        "'What households agreed to, by whom and when, until it is withdrawn.'"
    )
    for table, privileges in (
        ("household_act", "SELECT, INSERT, UPDATE (given_sealed)"),
        ("enrolled_before", "SELECT, INSERT"),
        ("household_consent", "SELECT, INSERT, UPDATE (withdrawn_on, withdrawn_at, withdrawn_by)"),
        # Of whoever is erased: days of birth, and the indexes that persons were found by.
        ("household_change", "UPDATE (before, after)"),
        (
            "member_change",
            "UPDATE (birth_date, content_index, id_number_index, phone_index, reference_index)",
        ),
    ):
        op.execute(f"GRANT {privileges} ON registry.{table} TO {ROLE}")


def downgrade() -> None:
    """What households agreed to is lost. Values of enumerations stay: they cannot be taken out."""
    op.execute(f"REVOKE UPDATE (before, after) ON registry.household_change FROM {ROLE}")
    op.execute(
        "REVOKE UPDATE (birth_date, content_index, id_number_index, phone_index, reference_index) "
        f"ON registry.member_change FROM {ROLE}"
    )
    op.execute("DROP TABLE registry.household_consent")
    op.execute("DROP TYPE registry.consent_giver")
    op.execute("DROP TABLE registry.enrolled_before")
    op.execute("DROP TABLE registry.household_act")
