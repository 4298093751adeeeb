"""Places by a list, and figures that are set aside until a person looks at them."""

from shared.migrations import execute_each, role_of

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
CREATE TYPE triggers.place_kind AS ENUM ('market', 'gauge', 'station');
CREATE TABLE triggers.place (
    code text NOT NULL CONSTRAINT place_primary_key PRIMARY KEY,
    name text NOT NULL,
    kind triggers.place_kind NOT NULL,
    area_code text NOT NULL,
    latitude numeric(8, 6),
    longitude numeric(9, 6),
    reaches text[] NOT NULL,
    created_at timestamptz NOT NULL,
    posted_by text NOT NULL,
    CONSTRAINT place_point_check CHECK ((latitude IS NULL) = (longitude IS NULL))
);
COMMENT ON COLUMN triggers.place.area_code IS 'The area in which it lies.';
COMMENT ON COLUMN triggers.place.reaches IS 'The areas that its figures stand for.';
CREATE TABLE triggers.place_alias (
    area_code text NOT NULL,
    key text NOT NULL,
    place_code text NOT NULL,
    spelling text NOT NULL,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    CONSTRAINT place_alias_primary_key PRIMARY KEY (area_code, key),
    CONSTRAINT place_alias_place_code_foreign_key
        FOREIGN KEY (place_code) REFERENCES triggers.place (code)
);
COMMENT ON COLUMN triggers.place_alias.area_code IS 'As the place''s.';
COMMENT ON COLUMN triggers.place_alias.key IS
    'The name without case, spacing and punctuation.';
CREATE INDEX place_alias_place_code_index ON triggers.place_alias (place_code);
CREATE TYPE triggers.indicator_places AS ENUM ('listed', 'open');
ALTER TABLE triggers.indicator
    ADD COLUMN places triggers.indicator_places DEFAULT 'open' NOT NULL;
CREATE TYPE triggers.doubt_reason AS ENUM (
    'place-unknown', 'unit-differs', 'out-of-bounds', 'day-absurd', 'contradiction',
    'riel-for-dollars', 'decimal-slip', 'package-slip', 'outlier', 'stuck'
);
CREATE TYPE triggers.doubt_decision AS ENUM ('released', 'rejected');
ALTER TABLE triggers.observation ADD COLUMN released boolean DEFAULT false NOT NULL;
COMMENT ON COLUMN triggers.observation.released IS
    'A person released it, doubtful as it was: it is not screened again.';
CREATE TABLE triggers.doubtful_observation (
    id uuid NOT NULL CONSTRAINT doubtful_observation_primary_key PRIMARY KEY,
    indicator_code text NOT NULL,
    digest bytea,
    sequence bigint,
    posted jsonb NOT NULL,
    observed_on date NOT NULL,
    reason triggers.doubt_reason NOT NULL,
    says text NOT NULL,
    suggested_place text,
    set_aside_at timestamptz NOT NULL,
    posted_by text NOT NULL,
    published boolean NOT NULL,
    approved_by text,
    decision triggers.doubt_decision,
    decided_by text,
    decided_at timestamptz,
    decision_reason text,
    CONSTRAINT doubtful_observation_indicator_code_foreign_key
        FOREIGN KEY (indicator_code) REFERENCES triggers.indicator (code),
    CONSTRAINT doubtful_observation_sequence_foreign_key
        FOREIGN KEY (sequence) REFERENCES triggers.observation (sequence),
    CONSTRAINT doubtful_observation_row_unique UNIQUE (indicator_code, digest),
    CONSTRAINT doubtful_observation_sequence_unique UNIQUE (sequence),
    CONSTRAINT doubtful_observation_row_check CHECK ((digest IS NULL) <> (sequence IS NULL)),
    CONSTRAINT doubtful_observation_decided_check CHECK (
        (decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)
    ),
    CONSTRAINT doubtful_observation_second_person_check CHECK (
        decision <> 'released' OR decided_by <> posted_by
    )
);
COMMENT ON COLUMN triggers.doubtful_observation.digest IS
    'Of a row that was not recorded: SHA-256 of it as posted.';
COMMENT ON COLUMN triggers.doubtful_observation.sequence IS
    'Of a row that was recorded: which; it does not count.';
COMMENT ON COLUMN triggers.doubtful_observation.set_aside_at IS
    'Of a row that was recorded: from which instant of knowledge on it is doubtful.';
COMMENT ON COLUMN triggers.doubtful_observation.posted IS 'The row as it was posted.';
COMMENT ON COLUMN triggers.doubtful_observation.published IS
    'A publisher''s own client posted it.';
COMMENT ON COLUMN triggers.doubtful_observation.approved_by IS
    'The second person of a batch that was posted by hand.';
CREATE INDEX doubtful_observation_waiting_index ON triggers.doubtful_observation
    (indicator_code, id) WHERE decision IS NULL;
GRANT SELECT, INSERT ON triggers.place, triggers.place_alias TO {ROLE};
GRANT SELECT, INSERT, UPDATE (reason, says, suggested_place, decision, decided_by, decided_at,
    decision_reason) ON triggers.doubtful_observation TO {ROLE}
"""

DOWN = """
DROP TABLE triggers.doubtful_observation;
DROP TYPE triggers.doubt_decision;
DROP TYPE triggers.doubt_reason;
ALTER TABLE triggers.observation DROP COLUMN released;
ALTER TABLE triggers.indicator DROP COLUMN places;
DROP TYPE triggers.indicator_places;
DROP TABLE triggers.place_alias;
DROP TABLE triggers.place;
DROP TYPE triggers.place_kind
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    """What waits for a person is gone with it; what was released stays recorded."""
    execute_each(DOWN)
