"""The triggers service's schema: indicators, observations, triggers, activations, evaluations."""

from alembic import op

from shared.migrations import execute_each, grants, role_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

INDICATOR = """
CREATE TABLE triggers.indicator (
    code text NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL,
    area_level text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT indicator_primary_key PRIMARY KEY (code),
    CONSTRAINT indicator_kind_check CHECK (kind IN ('price', 'households_affected')),
    CONSTRAINT indicator_area_level_check
        CHECK (area_level IN ('country', 'province', 'district', 'commune', 'village'))
)
"""

OBSERVATION = """
CREATE TABLE triggers.observation (
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    indicator_code text NOT NULL,
    observed_on date NOT NULL,
    area_code text NOT NULL,
    place text NOT NULL,
    source text NOT NULL,
    revision integer NOT NULL,
    value numeric(18, 6),
    published_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    CONSTRAINT observation_primary_key PRIMARY KEY (sequence),
    CONSTRAINT observation_revision_unique
        UNIQUE (indicator_code, observed_on, area_code, place, source, revision),
    CONSTRAINT observation_revision_check CHECK (revision >= 1),
    CONSTRAINT observation_published_on_check CHECK (published_on >= observed_on),
    CONSTRAINT observation_indicator_code_foreign_key
        FOREIGN KEY (indicator_code) REFERENCES triggers.indicator (code)
);
COMMENT ON COLUMN triggers.observation.place IS 'Empty: the area as a whole.';
COMMENT ON COLUMN triggers.observation.value IS 'Null: named without a figure.'
"""

TRIGGER_DEFINITION = """
CREATE TABLE triggers.trigger_definition (
    code text NOT NULL,
    version integer NOT NULL,
    indicator_code text NOT NULL,
    document jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT trigger_definition_primary_key PRIMARY KEY (code, version),
    CONSTRAINT trigger_definition_version_check CHECK (version >= 1),
    CONSTRAINT trigger_definition_indicator_code_foreign_key
        FOREIGN KEY (indicator_code) REFERENCES triggers.indicator (code)
);
CREATE INDEX trigger_definition_indicator_code_index
    ON triggers.trigger_definition (indicator_code)
"""

ACTIVATION = """
CREATE TABLE triggers.activation (
    id uuid NOT NULL,
    trigger_code text NOT NULL,
    trigger_version integer NOT NULL,
    scheme text NOT NULL,
    shock text NOT NULL,
    area_filter text,
    severity text NOT NULL,
    origin text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    evidence_from date NOT NULL,
    evidence_to date NOT NULL,
    proposed_at timestamptz NOT NULL,
    proposed_by text NOT NULL,
    opened_on date,
    CONSTRAINT activation_primary_key PRIMARY KEY (id),
    CONSTRAINT activation_trigger_foreign_key
        FOREIGN KEY (trigger_code, trigger_version)
        REFERENCES triggers.trigger_definition (code, version),
    CONSTRAINT activation_state_check
        CHECK (state IN ('proposed', 'open', 'declined', 'closed')),
    CONSTRAINT activation_origin_check CHECK (origin IN ('evidence', 'declared')),
    CONSTRAINT activation_severity_check CHECK (severity IN ('moderate', 'severe', 'extreme')),
    CONSTRAINT activation_evidence_check CHECK (evidence_from <= evidence_to)
);
CREATE UNIQUE INDEX activation_one_live_for_each_trigger_unique
    ON triggers.activation (trigger_code) WHERE state IN ('proposed', 'open');
CREATE INDEX activation_trigger_code_evidence_to_index
    ON triggers.activation (trigger_code, evidence_to);
CREATE TABLE triggers.activation_area (
    activation_id uuid NOT NULL,
    area_code text NOT NULL,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    CONSTRAINT activation_area_primary_key PRIMARY KEY (activation_id, area_code),
    CONSTRAINT activation_area_activation_id_foreign_key
        FOREIGN KEY (activation_id) REFERENCES triggers.activation (id)
);
CREATE TABLE triggers.activation_move (
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    activation_id uuid NOT NULL,
    from_state text,
    to_state text NOT NULL,
    moved_at timestamptz NOT NULL,
    moved_by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT activation_move_primary_key PRIMARY KEY (sequence),
    CONSTRAINT activation_move_activation_id_foreign_key
        FOREIGN KEY (activation_id) REFERENCES triggers.activation (id)
);
CREATE INDEX activation_move_activation_id_index ON triggers.activation_move (activation_id);
COMMENT ON COLUMN triggers.activation_move.from_state IS 'Null: it began.'
"""

EVALUATION = """
CREATE TABLE triggers.evaluation (
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    trigger_code text NOT NULL,
    trigger_version integer NOT NULL,
    judged_on date NOT NULL,
    evaluated_at timestamptz NOT NULL,
    stage text NOT NULL,
    outcome text NOT NULL,
    activation_id uuid,
    explanation text NOT NULL,
    evidence jsonb NOT NULL,
    CONSTRAINT evaluation_primary_key PRIMARY KEY (id),
    CONSTRAINT evaluation_trigger_foreign_key
        FOREIGN KEY (trigger_code, trigger_version)
        REFERENCES triggers.trigger_definition (code, version),
    CONSTRAINT evaluation_event_unique UNIQUE (event_id, trigger_code, judged_on),
    CONSTRAINT evaluation_stage_check CHECK (stage IN ('none', 'readiness', 'activation')),
    CONSTRAINT evaluation_outcome_check
        CHECK (outcome IN ('none', 'quiet', 'proposed', 'opened', 'widened')),
    CONSTRAINT evaluation_activation_id_foreign_key
        FOREIGN KEY (activation_id) REFERENCES triggers.activation (id)
);
CREATE INDEX evaluation_trigger_code_id_index ON triggers.evaluation (trigger_code, id)
"""

OF_EVERY_SERVICE = """
CREATE TABLE triggers.idempotency_key (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    status integer,
    body jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_key_primary_key PRIMARY KEY (caller, route, key)
);
COMMENT ON TABLE triggers.idempotency_key IS
    'Answers to POSTs that create, so that a repeat gets the same answer.';
CREATE TABLE triggers.event_cursor (
    consumer text NOT NULL,
    epoch integer NOT NULL DEFAULT 0,
    transaction_id xid8 NOT NULL DEFAULT '0'::xid8,
    sequence bigint NOT NULL DEFAULT 0,
    CONSTRAINT event_cursor_primary_key PRIMARY KEY (consumer)
);
COMMENT ON TABLE triggers.event_cursor IS 'How far each consumer has read the event log.';
CREATE TABLE triggers.dead_letter (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    failed_at timestamptz NOT NULL DEFAULT now(),
    replay_requested_at timestamptz,
    CONSTRAINT dead_letter_primary_key PRIMARY KEY (consumer, event_id)
);
COMMENT ON TABLE triggers.dead_letter IS
    'Events whose handler failed: parked here, visible, and replayable.'
"""

# What is evidence is only ever added to: no UPDATE, no DELETE, and no activation is ever deleted.
GRANTS = f"""
GRANT SELECT, INSERT ON triggers.indicator TO {ROLE};
GRANT SELECT, INSERT ON triggers.observation TO {ROLE};
GRANT SELECT, INSERT ON triggers.trigger_definition TO {ROLE};
GRANT SELECT, INSERT ON triggers.evaluation TO {ROLE};
GRANT SELECT, INSERT, UPDATE (state, opened_on, evidence_from, evidence_to)
    ON triggers.activation TO {ROLE};
GRANT SELECT, INSERT ON triggers.activation_area TO {ROLE};
GRANT SELECT, INSERT ON triggers.activation_move TO {ROLE};
GRANT SELECT, INSERT, UPDATE (status, body) ON triggers.idempotency_key TO {ROLE};
GRANT SELECT, INSERT, UPDATE ON triggers.event_cursor TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON triggers.dead_letter TO {ROLE}
"""

TABLES = (
    "dead_letter",
    "event_cursor",
    "idempotency_key",
    "evaluation",
    "activation_move",
    "activation_area",
    "activation",
    "trigger_definition",
    "observation",
    "indicator",
)


def upgrade() -> None:
    for statements in (
        INDICATOR,
        OBSERVATION,
        TRIGGER_DEFINITION,
        ACTIVATION,
        EVALUATION,
        OF_EVERY_SERVICE,
        GRANTS,
    ):
        execute_each(statements)
    for grant in grants("triggers"):
        op.execute(grant)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE triggers.{table}")
