"""What was announced can be announced again: repairs, their chunks, and what becomes of each.

A chunk's ``payable`` follows what becomes of it from now on; what was announced is kept beside.
"""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = """
ALTER TYPE registry.run_kind ADD VALUE 'repair';
ALTER TABLE registry.entitlement_chunk
    ADD COLUMN home_chunk_id uuid,
    ADD COLUMN planned_at timestamptz,
    ADD COLUMN announced_count integer NOT NULL DEFAULT 0,
    ADD COLUMN announced_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused_count integer NOT NULL DEFAULT 0,
    ADD COLUMN refused_minor bigint NOT NULL DEFAULT 0;
UPDATE registry.entitlement_chunk AS chunk
SET planned_at = run.planned_at,
    announced_count = chunk.payable_count,
    announced_minor = chunk.payable_minor,
    refused_count = CASE chunk.status WHEN 'refused' THEN chunk.payable_count ELSE 0 END,
    refused_minor = CASE chunk.status WHEN 'refused' THEN chunk.payable_minor ELSE 0 END
FROM registry.enrolment_run AS run WHERE run.id = chunk.enrolment_run_id;
ALTER TABLE registry.entitlement_chunk
    ALTER planned_at SET NOT NULL,
    ALTER announced_count DROP DEFAULT,
    ALTER announced_minor DROP DEFAULT,
    ALTER refused_count DROP DEFAULT,
    ALTER refused_minor DROP DEFAULT,
    ADD CONSTRAINT entitlement_chunk_home_chunk_id_foreign_key
        FOREIGN KEY (home_chunk_id) REFERENCES registry.entitlement_chunk (id),
    DROP CONSTRAINT entitlement_chunk_later_round_has_first_check,
    ADD CONSTRAINT entitlement_chunk_later_round_has_first_check
        CHECK ((round = 1 OR home_chunk_id IS NOT NULL) = (first_round_chunk_id IS NULL)),
    DROP CONSTRAINT entitlement_chunk_outcomes_within_payable_check,
    ADD CONSTRAINT entitlement_chunk_outcomes_within_payable_check
        CHECK (paid_count + failed_count + refused_count <= payable_count);
DROP INDEX registry.entitlement_chunk_activation_id_round_id_index;
CREATE INDEX entitlement_chunk_activation_id_planned_at_id_index
    ON registry.entitlement_chunk (activation_id, planned_at, id);
CREATE INDEX entitlement_chunk_home_chunk_id_index
    ON registry.entitlement_chunk (home_chunk_id) WHERE home_chunk_id IS NOT NULL;
DROP INDEX registry.entitlement_chunk_waiting_index;
CREATE INDEX entitlement_chunk_waiting_index
    ON registry.entitlement_chunk (status, planned_at, id)
    WHERE status IN ('planned', 'settling', 'refusing')
        OR settlements_applied < settlements_announced;
CREATE TABLE registry.announcement (
    entitlement_id uuid NOT NULL,
    number smallint NOT NULL,
    chunk_id uuid NOT NULL,
    payee_account_id uuid NOT NULL,
    finished_at timestamptz,
    status registry.entitlement_status NOT NULL,
    reason text,
    CONSTRAINT announcement_primary_key PRIMARY KEY (entitlement_id, number),
    CONSTRAINT announcement_number_counts_from_one_check CHECK (number >= 1)
);
COMMENT ON TABLE registry.announcement IS
'Announcements of entitlements that were announced again, the first included.';
CREATE UNIQUE INDEX announcement_standing_unique
    ON registry.announcement (entitlement_id) WHERE status IN ('ready', 'paid');
CREATE INDEX announcement_chunk_id_index ON registry.announcement (chunk_id);
CREATE TABLE registry.repair (
    run_id uuid NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    chunk_id uuid,
    household_ids uuid[],
    same_account boolean NOT NULL,
    CONSTRAINT repair_primary_key PRIMARY KEY (run_id),
    CONSTRAINT repair_of_a_chunk_or_of_some_check
        CHECK (chunk_id IS NULL OR household_ids IS NULL),
    CONSTRAINT repair_run_id_foreign_key FOREIGN KEY (run_id)
        REFERENCES registry.enrolment_run (id),
    CONSTRAINT repair_chunk_id_foreign_key FOREIGN KEY (chunk_id)
        REFERENCES registry.entitlement_chunk (id)
);
COMMENT ON TABLE registry.repair IS
'Repairs: who had entitlements of a round announced again, whose, and why.';
CREATE TABLE registry.reannouncement (
    id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    refusal text,
    CONSTRAINT reannouncement_primary_key PRIMARY KEY (id),
    CONSTRAINT reannouncement_chunk_id_foreign_key FOREIGN KEY (chunk_id)
        REFERENCES registry.entitlement_chunk (id)
);
COMMENT ON TABLE registry.reannouncement IS
'Chunks that an officer had announced once more: who, when, and why.';
CREATE INDEX reannouncement_chunk_id_index ON registry.reannouncement (chunk_id)
"""

# Repairs are forgotten, their entitlements as they stand. A value cannot be taken from an enum
# type: it is made anew.
DOWN = """
DROP TABLE registry.reannouncement;
DROP TABLE registry.repair;
DROP TABLE registry.announcement;
DELETE FROM registry.entitlement_chunk WHERE home_chunk_id IS NOT NULL;
DELETE FROM registry.enrolment_run WHERE kind = 'repair';
ALTER TYPE registry.run_kind RENAME TO run_kind_with_repair;
CREATE TYPE registry.run_kind AS ENUM ('opening', 'widening', 'round');
ALTER TABLE registry.enrolment_run
    ALTER kind TYPE registry.run_kind USING kind::text::registry.run_kind;
DROP TYPE registry.run_kind_with_repair;
DROP INDEX registry.entitlement_chunk_waiting_index;
DROP INDEX registry.entitlement_chunk_home_chunk_id_index;
DROP INDEX registry.entitlement_chunk_activation_id_planned_at_id_index;
ALTER TABLE registry.entitlement_chunk
    DROP CONSTRAINT entitlement_chunk_later_round_has_first_check,
    DROP CONSTRAINT entitlement_chunk_outcomes_within_payable_check;
ALTER TABLE registry.entitlement_chunk
    DROP COLUMN home_chunk_id,
    DROP COLUMN planned_at,
    DROP COLUMN announced_count,
    DROP COLUMN announced_minor,
    DROP COLUMN refused_count,
    DROP COLUMN refused_minor,
    ADD CONSTRAINT entitlement_chunk_later_round_has_first_check
        CHECK ((round = 1) = (first_round_chunk_id IS NULL)),
    ADD CONSTRAINT entitlement_chunk_outcomes_within_payable_check
        CHECK (paid_count + failed_count <= payable_count);
CREATE INDEX entitlement_chunk_activation_id_round_id_index
    ON registry.entitlement_chunk (activation_id, round, id);
CREATE INDEX entitlement_chunk_waiting_index
    ON registry.entitlement_chunk (status, id) WHERE status IN ('planned', 'settling', 'refusing')
"""

GRANTS = {
    "announcement": "SELECT, INSERT, UPDATE (status, reason, finished_at)",
    "repair": "SELECT, INSERT",
    "reannouncement": "SELECT, INSERT",
}


def upgrade() -> None:
    execute_each(UP)
    for table, allowed in GRANTS.items():
        op.execute(f"GRANT {allowed} ON registry.{table} TO {role_of('registry')}")


def downgrade() -> None:
    execute_each(DOWN)
