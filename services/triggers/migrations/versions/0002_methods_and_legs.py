"""Legs in trigger documents, forecasts, enums as types, and who posted what.

0.1 cannot run beside this: columns that it writes have other names and types.
"""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

TYPES = {
    "area_level": ("country", "province", "district", "commune", "village"),
    "activation_state": ("proposed", "open", "declined", "closed"),
    "activation_origin": ("evidence", "declared"),
    "severity": ("moderate", "severe", "extreme"),
    "trigger_stage": ("none", "readiness", "activation"),
    "evaluation_outcome": ("none", "quiet", "proposed", "opened", "widened"),
}

INDICATOR = """
ALTER TABLE triggers.indicator
    DROP CONSTRAINT indicator_kind_check,
    DROP CONSTRAINT indicator_area_level_check,
    ALTER COLUMN area_level TYPE triggers.area_level USING area_level::triggers.area_level,
    ADD COLUMN forecast boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT indicator_kind_check CHECK (kind ~ '^[a-z]+(_[a-z]+)*$'),
    ADD CONSTRAINT indicator_forecast_unique UNIQUE (code, forecast);
ALTER TABLE triggers.indicator ALTER COLUMN forecast DROP DEFAULT;
ALTER TABLE triggers.indicator RENAME COLUMN created_by TO posted_by;
COMMENT ON COLUMN triggers.indicator.forecast IS
    'Its observations may be published before the day they are about.'
"""

OBSERVATION = """
ALTER TABLE triggers.observation
    DROP CONSTRAINT observation_revision_unique,
    DROP CONSTRAINT observation_published_on_check,
    DROP CONSTRAINT observation_indicator_code_foreign_key,
    ADD COLUMN forecast boolean NOT NULL DEFAULT false,
    ADD COLUMN issued_on date
        GENERATED ALWAYS AS (CASE WHEN forecast THEN published_on END) STORED,
    ADD CONSTRAINT observation_published_on_check
        CHECK (forecast OR published_on >= observed_on),
    ADD CONSTRAINT observation_indicator_foreign_key
        FOREIGN KEY (indicator_code, forecast) REFERENCES triggers.indicator (code, forecast);
ALTER TABLE triggers.observation ADD CONSTRAINT observation_revision_unique
    UNIQUE NULLS NOT DISTINCT
        (indicator_code, observed_on, area_code, place, source, revision, issued_on);
ALTER TABLE triggers.observation ALTER COLUMN forecast DROP DEFAULT;
ALTER TABLE triggers.observation RENAME COLUMN recorded_by TO posted_by;
COMMENT ON COLUMN triggers.observation.issued_on IS
    'A forecast''s day of publication, which is part of its key; null: measured.';
COMMENT ON COLUMN triggers.observation.forecast IS 'As the indicator says.'
"""

# What a document said at its top is said by its one leg now, and approval by its stage.
TRIGGER_DEFINITION = f"""
CREATE TABLE triggers.trigger_leg (
    trigger_code text NOT NULL,
    trigger_version integer NOT NULL,
    position integer NOT NULL,
    indicator_code text NOT NULL,
    CONSTRAINT trigger_leg_primary_key PRIMARY KEY (trigger_code, trigger_version, position),
    CONSTRAINT trigger_leg_trigger_foreign_key
        FOREIGN KEY (trigger_code, trigger_version)
        REFERENCES triggers.trigger_definition (code, version),
    CONSTRAINT trigger_leg_indicator_code_foreign_key
        FOREIGN KEY (indicator_code) REFERENCES triggers.indicator (code)
);
CREATE INDEX trigger_leg_indicator_code_index ON triggers.trigger_leg (indicator_code);
COMMENT ON COLUMN triggers.trigger_leg.position IS 'From 0, as in the document.';
GRANT SELECT, INSERT ON triggers.trigger_leg TO {ROLE};
INSERT INTO triggers.trigger_leg (trigger_code, trigger_version, position, indicator_code)
SELECT code, version, 0, indicator_code FROM triggers.trigger_definition;
UPDATE triggers.trigger_definition SET document =
    document - 'indicator' - 'method' - 'approval' || jsonb_build_object(
        'legs', jsonb_build_array(jsonb_build_object(
            'indicator', document -> 'indicator', 'method', document -> 'method'
        )),
        'join', 'any',
        'stages', jsonb_build_object(
            'activation', jsonb_build_object('approval', document -> 'approval')
        )
    );
ALTER TABLE triggers.trigger_definition
    RENAME CONSTRAINT trigger_definition_version_check
    TO trigger_definition_version_counts_from_one_check;
ALTER TABLE triggers.trigger_definition RENAME COLUMN created_at TO posted_at;
ALTER TABLE triggers.trigger_definition RENAME COLUMN created_by TO posted_by;
ALTER TABLE triggers.trigger_definition DROP COLUMN indicator_code;
COMMENT ON TABLE triggers.trigger_definition IS 'Versioned documents; never updated.'
"""

ACTIVATION = """
DROP INDEX triggers.activation_one_live_for_each_trigger_unique;
ALTER TABLE triggers.activation
    DROP CONSTRAINT activation_state_check,
    DROP CONSTRAINT activation_origin_check,
    DROP CONSTRAINT activation_severity_check,
    ALTER COLUMN state TYPE triggers.activation_state USING state::triggers.activation_state,
    ALTER COLUMN origin TYPE triggers.activation_origin USING origin::triggers.activation_origin,
    ALTER COLUMN severity TYPE triggers.severity USING severity::triggers.severity;
CREATE UNIQUE INDEX activation_one_live_for_each_trigger_unique
    ON triggers.activation (trigger_code) WHERE state IN ('proposed', 'open');
ALTER TABLE triggers.activation_move
    ALTER COLUMN from_state TYPE triggers.activation_state
        USING from_state::triggers.activation_state,
    ALTER COLUMN to_state TYPE triggers.activation_state USING to_state::triggers.activation_state
"""

EVALUATION = """
ALTER TABLE triggers.evaluation
    DROP CONSTRAINT evaluation_stage_check,
    DROP CONSTRAINT evaluation_outcome_check,
    ALTER COLUMN stage TYPE triggers.trigger_stage USING stage::triggers.trigger_stage,
    ALTER COLUMN outcome TYPE triggers.evaluation_outcome
        USING outcome::triggers.evaluation_outcome
"""

BACK = """
ALTER TABLE triggers.evaluation
    ALTER COLUMN stage TYPE text,
    ALTER COLUMN outcome TYPE text,
    ADD CONSTRAINT evaluation_stage_check CHECK (stage IN ('none', 'readiness', 'activation')),
    ADD CONSTRAINT evaluation_outcome_check
        CHECK (outcome IN ('none', 'quiet', 'proposed', 'opened', 'widened'));
ALTER TABLE triggers.activation_move
    ALTER COLUMN from_state TYPE text,
    ALTER COLUMN to_state TYPE text;
DROP INDEX triggers.activation_one_live_for_each_trigger_unique;
ALTER TABLE triggers.activation
    ALTER COLUMN state TYPE text,
    ALTER COLUMN origin TYPE text,
    ALTER COLUMN severity TYPE text,
    ADD CONSTRAINT activation_state_check
        CHECK (state IN ('proposed', 'open', 'declined', 'closed')),
    ADD CONSTRAINT activation_origin_check CHECK (origin IN ('evidence', 'declared')),
    ADD CONSTRAINT activation_severity_check
        CHECK (severity IN ('moderate', 'severe', 'extreme'));
CREATE UNIQUE INDEX activation_one_live_for_each_trigger_unique
    ON triggers.activation (trigger_code) WHERE state IN ('proposed', 'open');
COMMENT ON TABLE triggers.trigger_definition IS NULL;
ALTER TABLE triggers.trigger_definition ADD COLUMN indicator_code text;
UPDATE triggers.trigger_definition SET
    indicator_code = document #>> '{legs,0,indicator}',
    document = document - 'legs' - 'join' - 'stages' || jsonb_build_object(
        'indicator', document #> '{legs,0,indicator}',
        'method', document #> '{legs,0,method}',
        'approval', document #> '{stages,activation,approval}'
    );
ALTER TABLE triggers.trigger_definition
    ALTER COLUMN indicator_code SET NOT NULL,
    ADD CONSTRAINT trigger_definition_indicator_code_foreign_key
        FOREIGN KEY (indicator_code) REFERENCES triggers.indicator (code);
CREATE INDEX trigger_definition_indicator_code_index
    ON triggers.trigger_definition (indicator_code);
ALTER TABLE triggers.trigger_definition RENAME COLUMN posted_by TO created_by;
ALTER TABLE triggers.trigger_definition RENAME COLUMN posted_at TO created_at;
ALTER TABLE triggers.trigger_definition
    RENAME CONSTRAINT trigger_definition_version_counts_from_one_check
    TO trigger_definition_version_check;
DROP TABLE triggers.trigger_leg;
ALTER TABLE triggers.observation RENAME COLUMN posted_by TO recorded_by;
ALTER TABLE triggers.observation
    DROP CONSTRAINT observation_revision_unique,
    DROP CONSTRAINT observation_indicator_foreign_key,
    DROP CONSTRAINT observation_published_on_check,
    DROP COLUMN issued_on,
    DROP COLUMN forecast,
    ADD CONSTRAINT observation_indicator_code_foreign_key
        FOREIGN KEY (indicator_code) REFERENCES triggers.indicator (code),
    ADD CONSTRAINT observation_published_on_check CHECK (published_on >= observed_on),
    ADD CONSTRAINT observation_revision_unique
        UNIQUE (indicator_code, observed_on, area_code, place, source, revision);
ALTER TABLE triggers.indicator RENAME COLUMN posted_by TO created_by;
ALTER TABLE triggers.indicator
    DROP CONSTRAINT indicator_forecast_unique,
    DROP CONSTRAINT indicator_kind_check,
    DROP COLUMN forecast,
    ALTER COLUMN area_level TYPE text,
    ADD CONSTRAINT indicator_kind_check CHECK (kind IN ('price', 'households_affected')),
    ADD CONSTRAINT indicator_area_level_check
        CHECK (area_level IN ('country', 'province', 'district', 'commune', 'village'))
"""


def upgrade() -> None:
    for name, values in TYPES.items():
        listed = ", ".join(f"'{value}'" for value in values)
        op.execute(f"CREATE TYPE triggers.{name} AS ENUM ({listed})")
    for statements in (INDICATOR, OBSERVATION, TRIGGER_DEFINITION, ACTIVATION, EVALUATION):
        execute_each(statements)


def downgrade() -> None:
    """Fails where forecasts were recorded, or a kind is in use that 0001 does not know."""
    execute_each(BACK)
    for name in TYPES:
        op.execute(f"DROP TYPE triggers.{name}")
