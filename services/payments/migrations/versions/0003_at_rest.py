"""One bad value stops one payment: set aside, announced again, asked about first, cancelled."""

from shared.migrations import execute_each, role_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

# Those of before follow from nothing; whoever raises them says theirs from now on.
INSTRUCTIONS = """
ALTER TABLE payments.instruction
    ALTER COLUMN id DROP DEFAULT,
    ADD COLUMN announcement smallint NOT NULL DEFAULT 1;
COMMENT ON TABLE payments.instruction IS
'One attempt to pay one entitlement; the id is the correlation id at the provider, and follows \
from entitlement, announcement and attempt.';
"""

ROUNDS = """
ALTER TABLE payments.payment_round ADD COLUMN supplement smallint NOT NULL DEFAULT 0;
ALTER TABLE payments.payment_round DROP CONSTRAINT payment_round_enrolment_id_round_unique;
ALTER TABLE payments.payment_round ADD CONSTRAINT payment_round_enrolment_id_round_supplement_unique
    UNIQUE (enrolment_id, round, supplement);
"""

CHUNKS = """
ALTER TABLE payments.chunk
    ADD COLUMN epoch integer,
    ADD COLUMN told_at timestamptz,
    ADD COLUMN set_aside_count integer NOT NULL DEFAULT 0,
    ADD COLUMN set_aside_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN progress_paid integer NOT NULL DEFAULT 0,
    ADD COLUMN progress_failed integer NOT NULL DEFAULT 0,
    ADD COLUMN progress_at timestamptz,
    ADD COLUMN unusable_fetches integer NOT NULL DEFAULT 0;
UPDATE payments.chunk
SET epoch = announced.epoch,
    told_at = coalesce(uuid_extract_timestamp(announced.id), clock_timestamp())
FROM events.event AS announced
WHERE announced.type = 'org.sangkroh.entitlements-ready.v1'
  AND announced.subject = chunk.chunk_id::text;
UPDATE payments.chunk
SET epoch = events.current_epoch(), told_at = clock_timestamp()
WHERE epoch IS NULL;
ALTER TABLE payments.chunk ALTER COLUMN epoch SET NOT NULL, ALTER COLUMN told_at SET NOT NULL;
"""

SET_ASIDE = f"""
CREATE TYPE payments.set_aside_reason AS ENUM (
    'unknown-provider',
    'other-currency',
    'no-amount',
    'already-paid',
    'undecided',
    'already-failed'
);
CREATE TABLE payments.set_aside (
    entitlement_id uuid NOT NULL,
    household_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    chunk_number integer NOT NULL,
    answered_in integer,
    announcement smallint NOT NULL,
    reason payments.set_aside_reason NOT NULL,
    set_aside_at timestamptz NOT NULL,
    CONSTRAINT set_aside_primary_key PRIMARY KEY (chunk_number, entitlement_id),
    CONSTRAINT set_aside_chunk_number_foreign_key
        FOREIGN KEY (chunk_number) REFERENCES payments.chunk (number)
);
CREATE INDEX set_aside_answered_index ON payments.set_aside (answered_in)
    WHERE answered_in IS NOT NULL;
COMMENT ON TABLE payments.set_aside IS
'Entitlements of raised chunks that are not paid from there, each with its reason. It only gains \
rows.';
GRANT SELECT, INSERT ON payments.set_aside TO {ROLE};
"""

CANCELLED = f"""
CREATE TABLE payments.cancelled_activation (
    activation_id uuid NOT NULL,
    cancelled_on date NOT NULL,
    heard_at timestamptz NOT NULL,
    CONSTRAINT cancelled_activation_primary_key PRIMARY KEY (activation_id)
);
COMMENT ON TABLE payments.cancelled_activation IS
'Activations that an official cancelled: nothing of them is sent any more.';
GRANT SELECT, INSERT ON payments.cancelled_activation TO {ROLE};
"""


def upgrade() -> None:
    for statements in (INSTRUCTIONS, ROUNDS, CHUNKS, SET_ASIDE, CANCELLED):
        execute_each(statements)


def downgrade() -> None:
    execute_each(
        """
        DROP TABLE payments.cancelled_activation;
        DROP TABLE payments.set_aside;
        DROP TYPE payments.set_aside_reason;
        ALTER TABLE payments.chunk
            DROP COLUMN epoch,
            DROP COLUMN told_at,
            DROP COLUMN set_aside_count,
            DROP COLUMN set_aside_minor,
            DROP COLUMN progress_paid,
            DROP COLUMN progress_failed,
            DROP COLUMN progress_at,
            DROP COLUMN unusable_fetches;
        ALTER TABLE payments.payment_round
            DROP CONSTRAINT payment_round_enrolment_id_round_supplement_unique;
        ALTER TABLE payments.payment_round DROP COLUMN supplement;
        ALTER TABLE payments.payment_round ADD CONSTRAINT payment_round_enrolment_id_round_unique
            UNIQUE (enrolment_id, round);
        ALTER TABLE payments.instruction
            DROP COLUMN announcement,
            ALTER COLUMN id SET DEFAULT uuidv7();
        COMMENT ON TABLE payments.instruction IS
        'One attempt to pay one entitlement; the id is the correlation id at the provider.';
        """
    )
