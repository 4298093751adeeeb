"""The registry's schema: areas, households, schemes, activations, enrolments, entitlements."""

from alembic import op

from shared.migrations import execute_each, grants, role_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = role_of("registry")

AREA = """
CREATE TABLE registry.area (
    code text COLLATE "C" NOT NULL,
    parent_code text COLLATE "C",
    level text NOT NULL,
    name_en text NOT NULL,
    name_km text NOT NULL,
    residence text,
    households_total integer,
    idpoor1_households integer,
    idpoor2_households integer,
    flood_hazard_index numeric,
    vulnerability_index numeric,
    latitude numeric,
    longitude numeric,
    CONSTRAINT area_primary_key PRIMARY KEY (code),
    CONSTRAINT area_level_known_check CHECK (level IN ('country', 'province', 'district',
        'commune', 'village')),
    CONSTRAINT area_residence_known_check CHECK (residence IN ('phnom-penh', 'urban', 'rural')),
    CONSTRAINT area_residence_of_communes_check
        CHECK ((level = 'commune') = (residence IS NOT NULL)),
    CONSTRAINT area_parent_unless_country_check
        CHECK ((level = 'country') = (parent_code IS NULL)),
    CONSTRAINT area_code_fits_level_check CHECK (code ~ CASE level
        WHEN 'country' THEN '^[A-Z]{2}$' WHEN 'province' THEN '^[0-9]{2}$'
        WHEN 'district' THEN '^[0-9]{4}$' WHEN 'commune' THEN '^[0-9]{6}$' ELSE '^[0-9]{8}$' END),
    CONSTRAINT area_parent_code_foreign_key FOREIGN KEY (parent_code)
        REFERENCES registry.area (code)
);
COMMENT ON TABLE registry.area IS
'National gazetteer (NCDD codes, two digits a level, leading zeros kept).';
CREATE INDEX area_level_code_index ON registry.area (level, code);
CREATE INDEX area_parent_code_code_index ON registry.area (parent_code, code)
"""

HOUSEHOLD = """
CREATE TABLE registry.household (
    id uuid NOT NULL,
    area_code text COLLATE "C" NOT NULL,
    poverty_status text NOT NULL,
    members smallint NOT NULL,
    children_0_5 smallint NOT NULL,
    pregnant smallint NOT NULL,
    disabled smallint NOT NULL,
    elderly_60 smallint NOT NULL,
    person_sealed bytea NOT NULL,
    registration_index bytea NOT NULL,
    phone_index bytea,
    id_number_index bytea,
    content_index bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT household_primary_key PRIMARY KEY (id),
    CONSTRAINT household_poverty_status_known_check CHECK (poverty_status IN ('poor-1', 'poor-2',
        'at-risk', 'not-poor')),
    CONSTRAINT household_members_counted_check CHECK (members BETWEEN 1 AND 60),
    CONSTRAINT household_features_within_members_check CHECK (children_0_5 BETWEEN 0 AND members
        AND pregnant BETWEEN 0 AND members AND disabled BETWEEN 0 AND members
        AND elderly_60 BETWEEN 0 AND members),
    CONSTRAINT household_area_is_commune_check CHECK (length(area_code) = 6),
    CONSTRAINT household_area_code_foreign_key FOREIGN KEY (area_code)
        REFERENCES registry.area (code)
);
COMMENT ON TABLE registry.household IS
'Registered households; content_index tells whether an import changes one.';
CREATE INDEX household_area_code_id_index ON registry.household (area_code, id);
CREATE INDEX household_id_number_index_index
    ON registry.household (id_number_index) WHERE id_number_index IS NOT NULL;
CREATE INDEX household_phone_index_index
    ON registry.household (phone_index) WHERE phone_index IS NOT NULL;
CREATE UNIQUE INDEX household_registration_index_index ON registry.household (registration_index)
"""

PAYEE_ACCOUNT = """
CREATE TABLE registry.payee_account (
    id uuid NOT NULL,
    household_id uuid NOT NULL,
    provider_code text NOT NULL,
    account_sealed bytea NOT NULL,
    account_index bytea NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT payee_account_primary_key PRIMARY KEY (id),
    CONSTRAINT payee_account_provider_code_plain_check
        CHECK (provider_code ~ '^[a-z0-9-]{2,32}$'),
    CONSTRAINT payee_account_ends_after_it_began_check CHECK (ended_at >= began_at),
    CONSTRAINT payee_account_household_id_foreign_key FOREIGN KEY (household_id)
        REFERENCES registry.household (id)
);
COMMENT ON TABLE registry.payee_account IS
'Payee accounts, sealed; at most one of a household has not ended.';
CREATE INDEX payee_account_account_index_index ON registry.payee_account (account_index);
CREATE UNIQUE INDEX payee_account_active_unique
    ON registry.payee_account (household_id) WHERE ended_at IS NULL
"""

HOUSEHOLD_IMPORT = """
CREATE TABLE registry.household_import (
    id uuid NOT NULL,
    source text NOT NULL,
    note text NOT NULL,
    status text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    begun_at timestamptz,
    ended_at timestamptz,
    rows_read integer NOT NULL,
    households_added integer NOT NULL,
    households_changed integer NOT NULL,
    households_unchanged integer NOT NULL,
    rows_rejected integer NOT NULL,
    CONSTRAINT household_import_primary_key PRIMARY KEY (id),
    CONSTRAINT household_import_status_known_check CHECK (status IN ('created', 'receiving',
        'interrupted', 'completed')),
    CONSTRAINT household_import_rows_add_up_check CHECK (rows_read = rows_rejected
        + households_added + households_changed + households_unchanged)
);
COMMENT ON TABLE registry.household_import IS
'Imports of households, with the counts of the last sending.'
"""

IMPORT_REJECTION = """
CREATE TABLE registry.import_rejection (
    import_id uuid NOT NULL,
    line integer NOT NULL,
    column_name text NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT import_rejection_primary_key PRIMARY KEY (import_id, line, column_name),
    CONSTRAINT import_rejection_import_id_foreign_key FOREIGN KEY (import_id)
        REFERENCES registry.household_import (id)
);
COMMENT ON TABLE registry.import_rejection IS
'Rejected rows of the last sending; no personal data.'
"""

SCHEME = """
CREATE TABLE registry.scheme (
    code text NOT NULL,
    CONSTRAINT scheme_primary_key PRIMARY KEY (code)
);
COMMENT ON TABLE registry.scheme IS
'Programmes; what they pay is in their versions.'
"""

SCHEME_VERSION = """
CREATE TABLE registry.scheme_version (
    scheme_code text NOT NULL,
    version integer NOT NULL,
    document jsonb NOT NULL,
    posted_by text NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT scheme_version_primary_key PRIMARY KEY (scheme_code, version),
    CONSTRAINT scheme_version_version_counts_from_one_check CHECK (version >= 1),
    CONSTRAINT scheme_version_scheme_code_foreign_key FOREIGN KEY (scheme_code)
        REFERENCES registry.scheme (code)
);
COMMENT ON TABLE registry.scheme_version IS
'Versioned scheme documents; never updated.'
"""

ACTIVATION = """
CREATE TABLE registry.activation (
    id uuid NOT NULL,
    trigger text NOT NULL,
    trigger_version integer NOT NULL,
    scheme_code text NOT NULL,
    scheme_version integer NOT NULL,
    shock text NOT NULL,
    severity text NOT NULL,
    areas text[] COLLATE "C" NOT NULL,
    area_filter text,
    observed_on date NOT NULL,
    opened_on date NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT activation_primary_key PRIMARY KEY (id),
    CONSTRAINT activation_scheme_code_scheme_version_foreign_key FOREIGN KEY (scheme_code,
        scheme_version) REFERENCES registry.scheme_version (scheme_code, version)
);
COMMENT ON TABLE registry.activation IS
'Activations; areas are those named when it opened and when it was widened.'
"""

PAYMENT_ROUND = """
CREATE TABLE registry.payment_round (
    activation_id uuid NOT NULL,
    number smallint NOT NULL,
    due_on date NOT NULL,
    released_at timestamptz,
    released_by text,
    CONSTRAINT payment_round_primary_key PRIMARY KEY (activation_id, number),
    CONSTRAINT payment_round_number_counts_from_one_check CHECK (number >= 1),
    CONSTRAINT payment_round_released_by_someone_check
        CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CONSTRAINT payment_round_activation_id_foreign_key FOREIGN KEY (activation_id)
        REFERENCES registry.activation (id)
);
COMMENT ON TABLE registry.payment_round IS
'Rounds by due date; nothing of a round is owed before it is released.'
"""

ENROLMENT_RUN = """
CREATE TABLE registry.enrolment_run (
    id uuid NOT NULL,
    activation_id uuid NOT NULL,
    round smallint NOT NULL,
    kind text NOT NULL,
    chunks_planned integer NOT NULL,
    chunks_done integer NOT NULL,
    planned_at timestamptz NOT NULL,
    completed_at timestamptz,
    CONSTRAINT enrolment_run_primary_key PRIMARY KEY (id),
    CONSTRAINT enrolment_run_activation_id_round_foreign_key FOREIGN KEY (activation_id, round)
        REFERENCES registry.payment_round (activation_id, number),
    CONSTRAINT enrolment_run_kind_known_check CHECK (kind IN ('opening', 'widening', 'round')),
    CONSTRAINT enrolment_run_chunks_done_counted_check CHECK (chunks_done BETWEEN 0
        AND chunks_planned)
);
COMMENT ON TABLE registry.enrolment_run IS
'Runs of enrolment; payments reserves the total of a whole run or refuses it.';
CREATE INDEX enrolment_run_activation_id_round_index
    ON registry.enrolment_run (activation_id, round)
"""

ACTIVATION_COMMUNE = """
CREATE TABLE registry.activation_commune (
    activation_id uuid NOT NULL,
    area_code text COLLATE "C" NOT NULL,
    enrolment_run_id uuid NOT NULL,
    CONSTRAINT activation_commune_primary_key PRIMARY KEY (activation_id, area_code),
    CONSTRAINT activation_commune_activation_id_foreign_key FOREIGN KEY (activation_id)
        REFERENCES registry.activation (id),
    CONSTRAINT activation_commune_area_code_foreign_key FOREIGN KEY (area_code)
        REFERENCES registry.area (code),
    CONSTRAINT activation_commune_enrolment_run_id_foreign_key FOREIGN KEY (enrolment_run_id)
        REFERENCES registry.enrolment_run (id)
);
COMMENT ON TABLE registry.activation_commune IS
'Communes reached by an activation, each once.'
"""

ENROLMENT = """
CREATE TABLE registry.enrolment (
    household_id uuid NOT NULL,
    activation_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    benefit_case smallint NOT NULL,
    members smallint NOT NULL,
    children_0_5 smallint NOT NULL,
    pregnant smallint NOT NULL,
    disabled smallint NOT NULL,
    elderly_60 smallint NOT NULL,
    area_code text COLLATE "C" NOT NULL,
    CONSTRAINT enrolment_primary_key PRIMARY KEY (household_id, activation_id),
    CONSTRAINT enrolment_amount_positive_check CHECK (amount_minor > 0)
);
COMMENT ON TABLE registry.enrolment IS
'Enrolled households, with the features that the amount was worked out from.'
"""

ENTITLEMENT_CHUNK = """
CREATE TABLE registry.entitlement_chunk (
    id uuid NOT NULL,
    enrolment_run_id uuid NOT NULL,
    activation_id uuid NOT NULL,
    round smallint NOT NULL,
    province_code text COLLATE "C" NOT NULL,
    area_codes text[] COLLATE "C" NOT NULL,
    first_round_chunk_id uuid,
    status text NOT NULL,
    announced_at timestamptz,
    currency text NOT NULL,
    payable_count integer NOT NULL,
    payable_minor bigint NOT NULL,
    unpayable_count integer NOT NULL,
    unpayable_minor bigint NOT NULL,
    excluded_count integer NOT NULL,
    paid_count integer NOT NULL,
    paid_minor bigint NOT NULL,
    failed_count integer NOT NULL,
    failed_minor bigint NOT NULL,
    first_paid_at timestamptz,
    last_paid_at timestamptz,
    refusal text,
    settlements_announced integer NOT NULL,
    settlements_applied integer NOT NULL,
    attempts smallint NOT NULL,
    attempt_after timestamptz,
    last_error text,
    CONSTRAINT entitlement_chunk_primary_key PRIMARY KEY (id),
    CONSTRAINT entitlement_chunk_status_known_check CHECK (status IN ('planned', 'empty',
        'announced', 'settling', 'settled', 'refusing', 'refused')),
    CONSTRAINT entitlement_chunk_later_round_has_first_check
        CHECK ((round = 1) = (first_round_chunk_id IS NULL)),
    CONSTRAINT entitlement_chunk_settlements_counted_check
        CHECK (settlements_applied <= settlements_announced),
    CONSTRAINT entitlement_chunk_outcomes_within_payable_check CHECK (paid_count
        + failed_count <= payable_count),
    CONSTRAINT entitlement_chunk_enrolment_run_id_foreign_key FOREIGN KEY (enrolment_run_id)
        REFERENCES registry.enrolment_run (id),
    CONSTRAINT entitlement_chunk_province_code_foreign_key FOREIGN KEY (province_code)
        REFERENCES registry.area (code),
    CONSTRAINT entitlement_chunk_first_round_chunk_id_foreign_key
        FOREIGN KEY (first_round_chunk_id) REFERENCES registry.entitlement_chunk (id)
);
COMMENT ON TABLE registry.entitlement_chunk IS
'Chunks of entitlements: worked whole, announced whole, settled whole.';
CREATE INDEX entitlement_chunk_activation_id_round_id_index
    ON registry.entitlement_chunk (activation_id, round, id);
CREATE INDEX entitlement_chunk_enrolment_run_id_index
    ON registry.entitlement_chunk (enrolment_run_id);
CREATE UNIQUE INDEX entitlement_chunk_round_unique
    ON registry.entitlement_chunk (first_round_chunk_id, round);
CREATE INDEX entitlement_chunk_waiting_index
    ON registry.entitlement_chunk (status, id) WHERE status IN ('planned', 'settling', 'refusing')
"""

ENTITLEMENT = """
CREATE TABLE registry.entitlement (
    id uuid NOT NULL,
    household_id uuid NOT NULL,
    activation_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    payee_account_id uuid,
    amount_minor bigint NOT NULL,
    finished_at timestamptz,
    round smallint NOT NULL,
    area_code text COLLATE "C" NOT NULL,
    status text NOT NULL,
    reason text,
    CONSTRAINT entitlement_primary_key PRIMARY KEY (id),
    CONSTRAINT entitlement_status_known_check CHECK (status IN ('ready', 'paid', 'failed',
        'unpayable', 'excluded', 'refused')),
    CONSTRAINT entitlement_amount_positive_check CHECK (amount_minor > 0)
);
COMMENT ON TABLE registry.entitlement IS
'Entitlements: at most one of a household for each activation and round.';
CREATE INDEX entitlement_chunk_id_index ON registry.entitlement (chunk_id);
CREATE UNIQUE INDEX entitlement_household_activation_round_unique
    ON registry.entitlement (household_id, activation_id, round)
"""

IDEMPOTENCY_KEY = """
CREATE TABLE registry.idempotency_key (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    status integer,
    body jsonb,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_key_primary_key PRIMARY KEY (caller, route, key)
);
COMMENT ON TABLE registry.idempotency_key IS
'Answers to POSTs that create, so that a repeat gets the same answer.'
"""

EVENT_CURSOR = """
CREATE TABLE registry.event_cursor (
    consumer text NOT NULL,
    epoch integer DEFAULT 0 NOT NULL,
    transaction_id xid8 DEFAULT '0'::xid8 NOT NULL,
    sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT event_cursor_primary_key PRIMARY KEY (consumer)
);
COMMENT ON TABLE registry.event_cursor IS
'How far each consumer has read the event log.'
"""

DEAD_LETTER = """
CREATE TABLE registry.dead_letter (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    error text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    failed_at timestamptz DEFAULT now() NOT NULL,
    replay_requested_at timestamptz,
    CONSTRAINT dead_letter_primary_key PRIMARY KEY (consumer, event_id)
);
COMMENT ON TABLE registry.dead_letter IS
'Events whose handler failed: parked here, visible, and replayable.'
"""

TABLES = (
    AREA,
    HOUSEHOLD,
    PAYEE_ACCOUNT,
    HOUSEHOLD_IMPORT,
    IMPORT_REJECTION,
    SCHEME,
    SCHEME_VERSION,
    ACTIVATION,
    PAYMENT_ROUND,
    ENROLMENT_RUN,
    ACTIVATION_COMMUNE,
    ENROLMENT,
    ENTITLEMENT_CHUNK,
    ENTITLEMENT,
    IDEMPOTENCY_KEY,
    EVENT_CURSOR,
    DEAD_LETTER,
)

# The least that the service needs, table by table. Nothing registered or owed is ever deleted.
GRANTS = {
    "area": "SELECT, INSERT, UPDATE",
    "household": "SELECT, INSERT, UPDATE",
    "payee_account": "SELECT, INSERT, UPDATE (ended_at)",
    "household_import": "SELECT, INSERT, UPDATE",
    "import_rejection": "SELECT, INSERT, DELETE",
    "scheme": "SELECT, INSERT",
    "scheme_version": "SELECT, INSERT",
    "activation": "SELECT, INSERT, UPDATE (areas)",
    "payment_round": "SELECT, INSERT, UPDATE (released_at, released_by)",
    "enrolment_run": "SELECT, INSERT, UPDATE (chunks_done, completed_at)",
    "activation_commune": "SELECT, INSERT",
    "enrolment": "SELECT, INSERT",
    "entitlement_chunk": "SELECT, INSERT, UPDATE",
    "entitlement": "SELECT, INSERT, UPDATE (status, reason, finished_at)",
    "idempotency_key": "SELECT, INSERT, UPDATE",
    "event_cursor": "SELECT, INSERT, UPDATE",
    "dead_letter": "SELECT, INSERT, UPDATE, DELETE",
}


def upgrade() -> None:
    for table in TABLES:
        execute_each(table)
    for grant in grants("registry"):
        op.execute(grant)
    for table, allowed in GRANTS.items():
        op.execute(f"GRANT {allowed} ON registry.{table} TO {ROLE}")


def downgrade() -> None:
    for table in reversed(GRANTS):
        op.execute(f"DROP TABLE registry.{table}")
