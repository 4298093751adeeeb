"""When figures became known, by which calendar they are judged, and what an evaluation knew.

Evaluations from before keep what they have. Each indicator is judged once more by what is there.
"""

from shared.migrations import execute_each, role_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
ALTER TABLE triggers.indicator
    ADD COLUMN calendar jsonb,
    ADD COLUMN judge_at timestamptz,
    ADD COLUMN judged_until timestamptz;
UPDATE triggers.indicator SET calendar = jsonb_build_object(
    'frequency', CASE kind WHEN 'price' THEN 'month' ELSE 'event' END,
    'complete_with_places', NULL,
    'waits_days', CASE kind WHEN 'price' THEN 10 ELSE 0 END
), judge_at = (SELECT max(recorded_at) FROM triggers.observation WHERE indicator_code = code);
ALTER TABLE triggers.indicator ALTER COLUMN calendar SET NOT NULL;
COMMENT ON COLUMN triggers.indicator.calendar IS
    'When a period of it is complete, and how long its figures are awaited.';
COMMENT ON COLUMN triggers.indicator.judge_at IS
    'When its triggers are evaluated next; null: not until it has new figures.';
COMMENT ON COLUMN triggers.indicator.judged_until IS
    'What is recorded from now on becomes known after this instant.';
CREATE INDEX indicator_judge_at_index ON triggers.indicator (judge_at) WHERE judge_at IS NOT NULL;
GRANT UPDATE (judge_at, judged_until) ON triggers.indicator TO {ROLE};

ALTER TABLE triggers.observation
    ADD COLUMN issue integer DEFAULT 1 NOT NULL,
    ADD COLUMN member integer,
    ADD COLUMN details jsonb,
    ADD CONSTRAINT observation_issue_check CHECK (issue >= 1),
    DROP CONSTRAINT observation_revision_unique,
    ADD CONSTRAINT observation_revision_unique UNIQUE NULLS NOT DISTINCT
        (indicator_code, observed_on, area_code, place, source, revision, issued_on, member);
CREATE INDEX observation_recorded_at_index ON triggers.observation (indicator_code, recorded_at);
COMMENT ON COLUMN triggers.observation.issue IS
    'Of several publications on one day: which, by the publisher''s own count.';
COMMENT ON COLUMN triggers.observation.member IS
    'Of a forecast ensemble: which of its members.';
COMMENT ON COLUMN triggers.observation.details IS
    'What its kind of indicator says beside the value.';

ALTER TYPE triggers.trigger_stage ADD VALUE IF NOT EXISTS 'watch' BEFORE 'readiness';
ALTER TYPE triggers.evaluation_outcome ADD VALUE IF NOT EXISTS 'unjudged' BEFORE 'quiet';
ALTER TYPE triggers.evaluation_outcome ADD VALUE IF NOT EXISTS 'raised';
ALTER TABLE triggers.evaluation
    ALTER COLUMN event_id DROP NOT NULL,
    ADD COLUMN leg integer DEFAULT 0 NOT NULL,
    ADD COLUMN judged_from date,
    ADD COLUMN decided_on date,
    ADD COLUMN known_at timestamptz,
    ADD COLUMN digest text,
    ADD COLUMN leg_stage triggers.trigger_stage,
    ADD COLUMN unjudged text;
COMMENT ON COLUMN triggers.evaluation.event_id IS
    'What caused it, before knowledge had a time; null since.';
COMMENT ON COLUMN triggers.evaluation.leg IS 'From 0, as in the document.';
COMMENT ON COLUMN triggers.evaluation.judged_from IS
    'The first day of the period judged; null: not kept.';
COMMENT ON COLUMN triggers.evaluation.judged_on IS 'The last day of the period judged.';
COMMENT ON COLUMN triggers.evaluation.decided_on IS
    'The day by whose figures it was judged; null: not kept.';
COMMENT ON COLUMN triggers.evaluation.known_at IS
    'Every figure recorded until then was known; null: not kept.';
COMMENT ON COLUMN triggers.evaluation.digest IS
    'SHA-256 of the period, the numbers used and what was found.';
COMMENT ON COLUMN triggers.evaluation.leg_stage IS 'The leg''s own.';
COMMENT ON COLUMN triggers.evaluation.unjudged IS 'Why it could not be judged.';

ALTER TABLE triggers.activation ADD COLUMN doubt text;
COMMENT ON COLUMN triggers.activation.doubt IS
    'Why what became known later would not have let it begin.';
GRANT UPDATE (severity, doubt) ON triggers.activation TO {ROLE};

ALTER TABLE triggers.activation_area ADD COLUMN filtered boolean;
COMMENT ON COLUMN triggers.activation_area.filtered IS
    'Whether the filter takes no commune of it; null: nobody said.';
GRANT UPDATE (filtered) ON triggers.activation_area TO {ROLE};

CREATE TABLE triggers.readiness (
    id uuid NOT NULL,
    trigger_code text NOT NULL,
    trigger_version integer NOT NULL,
    readied_on date NOT NULL,
    stood_down_on date,
    areas text[] NOT NULL,
    noted_at timestamptz NOT NULL,
    CONSTRAINT readiness_primary_key PRIMARY KEY (id),
    CONSTRAINT readiness_trigger_foreign_key FOREIGN KEY (trigger_code, trigger_version)
        REFERENCES triggers.trigger_definition (code, version),
    CONSTRAINT readiness_in_order_check CHECK (stood_down_on >= readied_on)
);
CREATE INDEX readiness_trigger_code_index ON triggers.readiness (trigger_code, readied_on);
COMMENT ON COLUMN triggers.readiness.readied_on IS 'The day by whose figures it became ready.';
COMMENT ON COLUMN triggers.readiness.stood_down_on IS
    'The day by whose figures it was below readiness; null: it is ready.';
GRANT SELECT, INSERT, UPDATE (stood_down_on, areas) ON triggers.readiness TO {ROLE}
"""

DOWN = f"""
UPDATE triggers.trigger_definition SET document = jsonb_set(
    document - 'season', '{{legs}}',
    (SELECT jsonb_agg(leg - 'holds_days' ORDER BY position)
     FROM jsonb_array_elements(document -> 'legs') WITH ORDINALITY AS of_document (leg, position))
);
DROP TABLE triggers.readiness;
ALTER TABLE triggers.activation_area DROP COLUMN filtered;
REVOKE UPDATE (severity) ON triggers.activation FROM {ROLE};
ALTER TABLE triggers.activation DROP COLUMN doubt;
DELETE FROM triggers.evaluation WHERE event_id IS NULL;
ALTER TABLE triggers.evaluation
    ALTER COLUMN event_id SET NOT NULL,
    DROP COLUMN leg,
    DROP COLUMN judged_from,
    DROP COLUMN decided_on,
    DROP COLUMN known_at,
    DROP COLUMN digest,
    DROP COLUMN leg_stage,
    DROP COLUMN unjudged;
COMMENT ON COLUMN triggers.evaluation.judged_on IS NULL;
COMMENT ON COLUMN triggers.evaluation.event_id IS NULL;
DROP INDEX triggers.observation_recorded_at_index;
DELETE FROM triggers.observation WHERE member IS NOT NULL;
ALTER TABLE triggers.observation
    DROP CONSTRAINT observation_revision_unique,
    DROP COLUMN issue,
    DROP COLUMN member,
    DROP COLUMN details,
    ADD CONSTRAINT observation_revision_unique UNIQUE NULLS NOT DISTINCT
        (indicator_code, observed_on, area_code, place, source, revision, issued_on);
ALTER TABLE triggers.indicator
    DROP COLUMN calendar,
    DROP COLUMN judge_at,
    DROP COLUMN judged_until
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    """Leaves the values of enums where they are: one is never removed."""
    execute_each(DOWN)
