"""Editions of the gazetteer: what became of codes, who followed where, who is still to be placed;
and the village of a household."""

from alembic import op

from shared.migrations import role_of

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROLE = role_of("registry")
SHIPPED = "ncdd-2022"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE registry.gazetteer_edition (
            code text NOT NULL,
            number integer,
            note text,
            areas text,
            changes text,
            digest bytea,
            sent_by text[] DEFAULT '{}' NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL,
            loaded_at timestamptz,
            in_force_at timestamptz,
            approval_id uuid,
            summary jsonb,
            CONSTRAINT gazetteer_edition_primary_key PRIMARY KEY (code),
            CONSTRAINT gazetteer_edition_number_unique UNIQUE (number),
            CONSTRAINT gazetteer_edition_approval_id_foreign_key
                FOREIGN KEY (approval_id) REFERENCES registry.approval (id),
            CONSTRAINT gazetteer_edition_in_force_with_a_number_check
                CHECK ((number IS NULL) = (in_force_at IS NULL))
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.gazetteer_edition IS
        'Editions of the gazetteer: drafts, and those put in force, the latest with the highest '
        'number.'
        """
    )
    op.execute(
        f"""
        INSERT INTO registry.gazetteer_edition
            (code, number, created_by, created_at, loaded_at, in_force_at)
        SELECT '{SHIPPED}', 1, 'shipped', now(), now(), now()
        WHERE EXISTS (SELECT FROM registry.area)
        """
    )
    op.execute(
        f"""
        ALTER TABLE registry.area
            ADD COLUMN edition text DEFAULT '{SHIPPED}' NOT NULL,
            ADD COLUMN ended_at timestamptz
        """
    )
    op.execute(
        "CREATE TYPE registry.area_change_kind AS ENUM ('renamed', 'moved', 'merged', 'split')"
    )
    op.execute(
        """
        CREATE TABLE registry.area_change (
            edition text NOT NULL,
            from_code text COLLATE "C" NOT NULL,
            to_code text COLLATE "C" NOT NULL,
            kind registry.area_change_kind NOT NULL,
            name_en text NOT NULL,
            name_km text NOT NULL,
            CONSTRAINT area_change_primary_key PRIMARY KEY (edition, from_code, to_code),
            CONSTRAINT area_change_edition_foreign_key
                FOREIGN KEY (edition) REFERENCES registry.gazetteer_edition (code),
            CONSTRAINT area_change_from_code_foreign_key
                FOREIGN KEY (from_code) REFERENCES registry.area (code),
            CONSTRAINT area_change_to_code_foreign_key
                FOREIGN KEY (to_code) REFERENCES registry.area (code)
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.area_change IS
        'What became of a code in an edition that was put in force, and what it was called before.'
        """
    )
    op.execute("CREATE INDEX area_change_from_code_index ON registry.area_change (from_code)")
    op.execute("CREATE INDEX area_change_to_code_index ON registry.area_change (to_code)")
    op.execute(
        """
        CREATE TABLE registry.area_successor (
            code text COLLATE "C" NOT NULL,
            successor text COLLATE "C" NOT NULL,
            CONSTRAINT area_successor_primary_key PRIMARY KEY (code, successor),
            CONSTRAINT area_successor_code_foreign_key
                FOREIGN KEY (code) REFERENCES registry.area (code),
            CONSTRAINT area_successor_successor_foreign_key
                FOREIGN KEY (successor) REFERENCES registry.area (code)
        )
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.area_successor IS
        'Where a code that was moved, merged or split leads to now, through all editions.'
        """
    )
    op.execute(
        """
        ALTER TABLE registry.household
            ADD COLUMN village_code text COLLATE "C",
            ADD CONSTRAINT household_village_code_foreign_key
                FOREIGN KEY (village_code) REFERENCES registry.area (code),
            ADD CONSTRAINT household_village_in_commune_check
                CHECK (length(village_code) = 8 AND left(village_code, 6) = area_code)
        """
    )
    op.execute(
        """
        CREATE TABLE registry.household_following (
            household_id uuid NOT NULL,
            edition text NOT NULL,
            from_code text COLLATE "C" NOT NULL,
            from_village text COLLATE "C",
            choices text[] COLLATE "C" NOT NULL,
            to_code text COLLATE "C",
            to_village text COLLATE "C",
            followed_at timestamptz NOT NULL,
            decided_by text,
            decided_at timestamptz,
            CONSTRAINT household_following_primary_key PRIMARY KEY (household_id, edition),
            CONSTRAINT household_following_household_id_foreign_key
                FOREIGN KEY (household_id) REFERENCES registry.household (id),
            CONSTRAINT household_following_edition_foreign_key
                FOREIGN KEY (edition) REFERENCES registry.gazetteer_edition (code),
            CONSTRAINT household_following_decided_by_someone_check
                CHECK ((decided_at IS NULL) = (decided_by IS NULL))
        )
        """
    )
    op.execute(
        """
        CREATE INDEX household_following_open_index
        ON registry.household_following (from_code, household_id) WHERE to_code IS NULL
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.household_following IS
        'Households whose place an edition changed: where they followed to, or that it is open.'
        """
    )
    op.execute(
        "ALTER TABLE registry.activation_commune ADD COLUMN edition integer DEFAULT 1 NOT NULL"
    )
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'gazetteer_edition'")
    op.execute(
        f"""
        GRANT SELECT, INSERT, UPDATE, DELETE ON registry.gazetteer_edition TO {ROLE};
        """
    )
    op.execute(f"GRANT SELECT, INSERT ON registry.area_change TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON registry.area_successor TO {ROLE}")
    op.execute(
        f"""
        GRANT SELECT, INSERT, UPDATE (choices, to_code, to_village, decided_by, decided_at)
            ON registry.household_following TO {ROLE}
        """
    )
    op.execute(f"GRANT UPDATE (enrolment_run_id, edition) ON registry.activation_commune TO {ROLE}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (enrolment_run_id) ON registry.activation_commune FROM {ROLE}")
    op.execute("ALTER TABLE registry.activation_commune DROP COLUMN edition")
    op.execute("DROP TABLE registry.household_following")
    op.execute("ALTER TABLE registry.household DROP COLUMN village_code")
    op.execute("DROP TABLE registry.area_successor")
    op.execute("DROP TABLE registry.area_change")
    op.execute("DROP TYPE registry.area_change_kind")
    op.execute("ALTER TABLE registry.area DROP COLUMN edition, DROP COLUMN ended_at")
    op.execute("DROP TABLE registry.gazetteer_edition")
