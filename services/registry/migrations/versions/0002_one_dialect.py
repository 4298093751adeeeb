"""Choices become enum types; a version of a scheme is a versioned document like any other.

Each table is rewritten once, under a lock that keeps everyone else out: with 700,000 households,
enrolled and entitled, a matter of seconds. Stop the services of 0.1 first; they cannot run beside.
"""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENUMS = {
    "area_level": ("country", "province", "district", "commune", "village"),
    "residence": ("phnom-penh", "urban", "rural"),
    "poverty_status": ("poor-1", "poor-2", "at-risk", "not-poor"),
    "import_status": ("created", "receiving", "interrupted", "completed"),
    "run_kind": ("opening", "widening", "round"),
    "chunk_status": (
        "planned",
        "empty",
        "announced",
        "settling",
        "settled",
        "refusing",
        "refused",
    ),
    "entitlement_status": ("ready", "paid", "failed", "unpayable", "excluded", "refused"),
}

# Checks and partial indexes compare with text, which an enum is not: they are made anew.
UP = """
ALTER TABLE registry.area
    DROP CONSTRAINT area_level_known_check,
    DROP CONSTRAINT area_residence_known_check,
    DROP CONSTRAINT area_residence_of_communes_check,
    DROP CONSTRAINT area_parent_unless_country_check,
    DROP CONSTRAINT area_code_fits_level_check;
ALTER TABLE registry.area
    ALTER level TYPE registry.area_level USING level::registry.area_level,
    ALTER residence TYPE registry.residence USING residence::registry.residence,
    ADD CONSTRAINT area_residence_of_communes_check
        CHECK ((level = 'commune') = (residence IS NOT NULL)),
    ADD CONSTRAINT area_parent_unless_country_check
        CHECK ((level = 'country') = (parent_code IS NULL)),
    ADD CONSTRAINT area_code_fits_level_check CHECK (code ~ CASE level
        WHEN 'country' THEN '^[A-Z]{2}$' WHEN 'province' THEN '^[0-9]{2}$'
        WHEN 'district' THEN '^[0-9]{4}$' WHEN 'commune' THEN '^[0-9]{6}$' ELSE '^[0-9]{8}$' END);
ALTER TABLE registry.household DROP CONSTRAINT household_poverty_status_known_check;
ALTER TABLE registry.household
    ALTER poverty_status TYPE registry.poverty_status
        USING poverty_status::registry.poverty_status;
ALTER TABLE registry.household_import DROP CONSTRAINT household_import_status_known_check;
ALTER TABLE registry.household_import
    ALTER status TYPE registry.import_status USING status::registry.import_status;
ALTER TABLE registry.enrolment_run DROP CONSTRAINT enrolment_run_kind_known_check;
ALTER TABLE registry.enrolment_run
    ALTER kind TYPE registry.run_kind USING kind::registry.run_kind;
DROP INDEX registry.entitlement_chunk_waiting_index;
ALTER TABLE registry.entitlement_chunk DROP CONSTRAINT entitlement_chunk_status_known_check;
ALTER TABLE registry.entitlement_chunk
    ALTER status TYPE registry.chunk_status USING status::registry.chunk_status;
CREATE INDEX entitlement_chunk_waiting_index
    ON registry.entitlement_chunk (status, id) WHERE status IN ('planned', 'settling', 'refusing');
ALTER TABLE registry.entitlement DROP CONSTRAINT entitlement_status_known_check;
ALTER TABLE registry.entitlement
    ALTER status TYPE registry.entitlement_status USING status::registry.entitlement_status;
ALTER TABLE registry.scheme_version
    DROP CONSTRAINT scheme_version_scheme_code_foreign_key;
ALTER TABLE registry.scheme_version RENAME scheme_code TO code;
COMMENT ON TABLE registry.scheme_version IS 'Versioned documents; never updated.';
DROP TABLE registry.scheme
"""


DOWN = """
CREATE TABLE registry.scheme (
    code text NOT NULL,
    CONSTRAINT scheme_primary_key PRIMARY KEY (code)
);
COMMENT ON TABLE registry.scheme IS
'Programmes; what they pay is in their versions.';
INSERT INTO registry.scheme (code) SELECT DISTINCT code FROM registry.scheme_version;
ALTER TABLE registry.scheme_version RENAME code TO scheme_code;
ALTER TABLE registry.scheme_version
    ADD CONSTRAINT scheme_version_scheme_code_foreign_key
        FOREIGN KEY (scheme_code) REFERENCES registry.scheme (code);
COMMENT ON TABLE registry.scheme_version IS 'Versioned scheme documents; never updated.';
ALTER TABLE registry.entitlement
    ALTER status TYPE text,
    ADD CONSTRAINT entitlement_status_known_check CHECK (status IN ('ready', 'paid', 'failed',
        'unpayable', 'excluded', 'refused'));
DROP INDEX registry.entitlement_chunk_waiting_index;
ALTER TABLE registry.entitlement_chunk
    ALTER status TYPE text,
    ADD CONSTRAINT entitlement_chunk_status_known_check CHECK (status IN ('planned', 'empty',
        'announced', 'settling', 'settled', 'refusing', 'refused'));
CREATE INDEX entitlement_chunk_waiting_index
    ON registry.entitlement_chunk (status, id) WHERE status IN ('planned', 'settling', 'refusing');
ALTER TABLE registry.enrolment_run
    ALTER kind TYPE text,
    ADD CONSTRAINT enrolment_run_kind_known_check CHECK (kind IN ('opening', 'widening', 'round'));
ALTER TABLE registry.household_import
    ALTER status TYPE text,
    ADD CONSTRAINT household_import_status_known_check CHECK (status IN ('created', 'receiving',
        'interrupted', 'completed'));
ALTER TABLE registry.household
    ALTER poverty_status TYPE text,
    ADD CONSTRAINT household_poverty_status_known_check CHECK (poverty_status IN ('poor-1',
        'poor-2', 'at-risk', 'not-poor'));
ALTER TABLE registry.area
    DROP CONSTRAINT area_residence_of_communes_check,
    DROP CONSTRAINT area_parent_unless_country_check,
    DROP CONSTRAINT area_code_fits_level_check;
ALTER TABLE registry.area
    ALTER level TYPE text,
    ALTER residence TYPE text,
    ADD CONSTRAINT area_level_known_check CHECK (level IN ('country', 'province', 'district',
        'commune', 'village')),
    ADD CONSTRAINT area_residence_known_check
        CHECK (residence IN ('phnom-penh', 'urban', 'rural')),
    ADD CONSTRAINT area_residence_of_communes_check
        CHECK ((level = 'commune') = (residence IS NOT NULL)),
    ADD CONSTRAINT area_parent_unless_country_check
        CHECK ((level = 'country') = (parent_code IS NULL)),
    ADD CONSTRAINT area_code_fits_level_check CHECK (code ~ CASE level
        WHEN 'country' THEN '^[A-Z]{2}$' WHEN 'province' THEN '^[0-9]{2}$'
        WHEN 'district' THEN '^[0-9]{4}$' WHEN 'commune' THEN '^[0-9]{6}$' ELSE '^[0-9]{8}$' END)
"""


def upgrade() -> None:
    for name, values in ENUMS.items():
        labels = ", ".join(f"'{value}'" for value in values)
        op.execute(f"CREATE TYPE registry.{name} AS ENUM ({labels})")
    execute_each(UP)


def downgrade() -> None:
    execute_each(DOWN)
    op.execute(f"GRANT SELECT, INSERT ON registry.scheme TO {role_of('registry')}")
    for name in ENUMS:
        op.execute(f"DROP TYPE registry.{name}")
