"""Each household has something of its own to be sealed with, which its erasure destroys."""

from alembic import op

from shared.migrations import role_of

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ROLE = role_of("registry")
_OF_A_BATCH = "households, approved_at, finished_at, done_up_to, erased, passed_over"


def upgrade() -> None:
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'erasures'")
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS registry.household_key (
            household_id uuid NOT NULL,
            material bytea,
            made_at timestamptz DEFAULT now() NOT NULL,
            destroyed_at timestamptz,
            CONSTRAINT household_key_primary_key PRIMARY KEY (household_id),
            CONSTRAINT household_key_there_or_destroyed_check
                CHECK (num_nulls(material, destroyed_at) = 1),
            CONSTRAINT household_key_material_whole_check CHECK (octet_length(material) = 32)
        ) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.household_key IS "
        "'What each household''s persons are sealed with; destroyed by its erasure.'"
    )
    # Who is erased stays so, whichever copy of the other tables comes back. Everybody else is given
    # something when they are sealed next: `python -m services reseal registry` does it for all.
    op.execute(
        """
        INSERT INTO registry.household_key (household_id, destroyed_at)
        SELECT id, erased_at FROM registry.household WHERE erased_at IS NOT NULL
        ON CONFLICT DO NOTHING
        """
    )
    op.execute(
        """
        UPDATE registry.member_change SET name_tokens = NULL FROM registry.household
        WHERE household.id = member_change.household_id AND household.erased_at IS NOT NULL
        """
    )
    op.execute(
        """
        CREATE TABLE registry.erasure_batch (
            id uuid NOT NULL,
            archived_before timestamptz NOT NULL,
            paid_before timestamptz NOT NULL,
            approved_at timestamptz,
            finished_at timestamptz,
            done_up_to uuid,
            households integer NOT NULL,
            erased integer DEFAULT 0 NOT NULL,
            passed_over integer DEFAULT 0 NOT NULL,
            CONSTRAINT erasure_batch_primary_key PRIMARY KEY (id),
            CONSTRAINT erasure_batch_id_foreign_key
                FOREIGN KEY (id) REFERENCES registry.approval (id),
            CONSTRAINT erasure_batch_finished_once_approved_check
                CHECK (finished_at IS NULL OR approved_at IS NOT NULL),
            CONSTRAINT erasure_batch_counts_within_check
                CHECK (erased >= 0 AND passed_over >= 0 AND erased + passed_over <= households)
        )
        """
    )
    op.execute(
        "CREATE INDEX erasure_batch_unfinished_index ON registry.erasure_batch (approved_at) "
        "WHERE approved_at IS NOT NULL AND finished_at IS NULL"
    )
    op.execute(
        "COMMENT ON TABLE registry.erasure_batch IS "
        "'Erasures of all households that were due, which two persons decide as one.'"
    )
    op.execute(
        """
        CREATE TABLE registry.erasure_planned (
            batch_id uuid NOT NULL,
            household_id uuid NOT NULL,
            CONSTRAINT erasure_planned_primary_key PRIMARY KEY (batch_id, household_id),
            CONSTRAINT erasure_planned_batch_id_foreign_key
                FOREIGN KEY (batch_id) REFERENCES registry.erasure_batch (id)
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.erasure_planned IS "
        "'Which households were due when their erasure was proposed.'"
    )
    for table, privileges in (
        ("household_key", "SELECT, INSERT, UPDATE (material, destroyed_at)"),
        ("erasure_batch", f"SELECT, INSERT, UPDATE ({_OF_A_BATCH})"),
        ("erasure_planned", "SELECT, INSERT"),
        # Of whoever is erased: what they were found by, also where a change of them was asked for.
        ("member_change", "UPDATE (name_tokens)"),
    ):
        op.execute(f"GRANT {privileges} ON registry.{table} TO {ROLE}")


def downgrade() -> None:
    """What households are sealed with stays: nobody could open them without, now or ever again.
    Values of enumerations stay: they cannot be taken out."""
    op.execute(f"REVOKE UPDATE (name_tokens) ON registry.member_change FROM {ROLE}")
    op.execute("DROP TABLE registry.erasure_planned")
    op.execute("DROP TABLE registry.erasure_batch")
