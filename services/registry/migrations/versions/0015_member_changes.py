"""Members who are added or corrected by persons, by two where it takes two."""

from alembic import op

from shared.migrations import role_of

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'member_change'")
    op.execute(
        """
        CREATE TABLE registry.member_change (
            id uuid NOT NULL,
            member_id uuid NOT NULL,
            household_id uuid NOT NULL,
            asked_by text NOT NULL,
            asked_at timestamptz NOT NULL,
            made_at timestamptz,
            alone boolean NOT NULL,
            member_number smallint NOT NULL,
            joined_on date,
            programmes text[] NOT NULL,
            relationship registry.relationship NOT NULL,
            sex registry.sex NOT NULL,
            birth_date date,
            disability boolean NOT NULL,
            pregnancy_due_on date,
            schooling registry.schooling,
            person_sealed bytea NOT NULL,
            content_index bytea NOT NULL,
            was_content_index bytea,
            id_number_index bytea,
            phone_index bytea,
            reference_index bytea,
            CONSTRAINT member_change_primary_key PRIMARY KEY (id),
            CONSTRAINT member_change_alone_is_made_check CHECK (NOT alone OR made_at IS NOT NULL)
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.member_change IS "
        "'Members who were added or corrected by a person, sealed as they are to be.'"
    )
    op.execute(
        "CREATE INDEX member_change_alone_index ON registry.member_change (asked_by, made_at) "
        "WHERE alone"
    )
    op.execute(
        "CREATE INDEX member_change_household_id_index ON registry.member_change (household_id)"
    )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (made_at, alone, person_sealed) "
        f"ON registry.member_change TO {ROLE}"
    )


def downgrade() -> None:
    """The kind stays: nothing takes a value out of an enum type."""
    op.execute("DROP TABLE registry.member_change")
