"""Members of households as rows, and the routine programmes that they are in."""

from alembic import op

from shared.migrations import role_of

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROLE = role_of("registry")

_TYPES = {
    "relationship": (
        "head",
        "spouse",
        "child",
        "parent",
        "grandchild",
        "sibling",
        "other-relative",
        "non-relative",
    ),
    "sex": ("female", "male"),
    "schooling": (
        "none",
        "pre-school",
        "primary",
        "lower-secondary",
        "upper-secondary",
        "higher",
        "completed",
        "out-of-school",
    ),
    "member_leaving": ("moved", "died", "split", "error"),
}


def upgrade() -> None:
    for name, values in _TYPES.items():
        listed = ", ".join(f"'{value}'" for value in values)
        op.execute(f"CREATE TYPE registry.{name} AS ENUM ({listed})")
    op.execute(
        "ALTER TABLE registry.household ADD COLUMN members_listed boolean DEFAULT false NOT NULL"
    )
    # There are millions of them: what is of fixed length first, the longer before the shorter.
    op.execute(
        """
        CREATE TABLE registry.member (
            id uuid NOT NULL,
            household_id uuid NOT NULL,
            changed_at timestamptz NOT NULL,
            birth_date date,
            pregnancy_due_on date,
            joined_on date,
            left_on date,
            left_because registry.member_leaving,
            relationship registry.relationship NOT NULL,
            sex registry.sex NOT NULL,
            schooling registry.schooling,
            member_number smallint NOT NULL,
            disability boolean NOT NULL,
            came_from uuid,
            person_sealed bytea NOT NULL,
            content_index bytea NOT NULL,
            id_number_index bytea,
            phone_index bytea,
            reference_index bytea,
            CONSTRAINT member_primary_key PRIMARY KEY (id),
            CONSTRAINT member_number_bounded_check CHECK (member_number BETWEEN 1 AND 999),
            CONSTRAINT member_leaves_after_joining_check CHECK (left_on >= joined_on),
            CONSTRAINT member_left_for_a_reason_check
                CHECK ((left_on IS NULL) = (left_because IS NULL)),
            CONSTRAINT member_pregnant_is_female_check
                CHECK (pregnancy_due_on IS NULL OR sex = 'female')
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.member IS "
        "'Members of households; content_index tells whether an import changes one.'"
    )
    op.execute(
        """
        CREATE UNIQUE INDEX member_household_id_member_number_unique
        ON registry.member (household_id, member_number)
        INCLUDE (joined_on, left_on, relationship, sex, birth_date, disability, pregnancy_due_on,
                 schooling)
        """
    )
    for column in ("id_number_index", "phone_index", "reference_index"):
        op.execute(
            f"CREATE INDEX member_{column}_index ON registry.member ({column}) "
            f"WHERE {column} IS NOT NULL"
        )
    op.execute(
        """
        CREATE TABLE registry.programme (
            code text NOT NULL,
            name_en text NOT NULL,
            name_km text NOT NULL,
            CONSTRAINT programme_primary_key PRIMARY KEY (code),
            CONSTRAINT programme_code_plain_check CHECK (code ~ '^[a-z][a-z0-9-]{1,39}$')
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.programme IS "
        "'Routine programmes, which members of households may be in.'"
    )
    op.execute(
        """
        INSERT INTO registry.programme (code, name_en, name_km) VALUES
            ('pregnant-women-and-children', 'Cash for pregnant women and children under two',
             'ឧបត្ថម្ភសាច់ប្រាក់ស្ត្រីមានផ្ទៃពោះ និងកុមារអាយុក្រោម ២ ឆ្នាំ'),
            ('disability-allowance', 'Disability allowance', 'របបឧបត្ថម្ភជនមានពិការភាព'),
            ('covid-cash', 'Cash transfer for poor households during Covid-19',
             'ឧបត្ថម្ភសាច់ប្រាក់ក្នុងអំឡុងពេលកូវីដ-១៩'),
            ('scholarship', 'Scholarship for primary and secondary school', 'អាហារូបករណ៍'),
            ('school-meals', 'School meals', 'កម្មវិធីអាហារនៅសាលារៀន')
        """
    )
    op.execute(
        """
        CREATE TABLE registry.programme_membership (
            member_id uuid NOT NULL,
            since date,
            until date,
            number smallint NOT NULL,
            programme_code text NOT NULL,
            CONSTRAINT programme_membership_primary_key
                PRIMARY KEY (member_id, programme_code, number),
            CONSTRAINT programme_membership_programme_code_foreign_key
                FOREIGN KEY (programme_code) REFERENCES registry.programme (code),
            CONSTRAINT programme_membership_ends_after_it_began_check CHECK (until >= since),
            CONSTRAINT programme_membership_number_counts_from_one_check CHECK (number >= 1)
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE registry.programme_membership IS "
        "'Which routine programmes members are in, and were in.'"
    )
    for table, privileges in (
        ("member", "SELECT, INSERT, UPDATE"),
        ("programme", "SELECT, INSERT, UPDATE (name_en, name_km)"),
        ("programme_membership", "SELECT, INSERT, UPDATE (since, until)"),
    ):
        op.execute(f"GRANT {privileges} ON registry.{table} TO {ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE registry.programme_membership")
    op.execute("DROP TABLE registry.programme")
    op.execute("DROP TABLE registry.member")
    op.execute("ALTER TABLE registry.household DROP COLUMN members_listed")
    for name in _TYPES:
        op.execute(f"DROP TYPE registry.{name}")
