"""Answers are stored before they are applied; what has not left goes back; references are unique.

References: where two settled payments of one provider bear the same, the first keeps it. The later
ones get an alarm that tells it, for what was recorded stays, and somebody has to look.
"""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

# Usable from the next transaction on only: in one of their own.
VALUES = (
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'not_sent' AFTER 'sent'",
    """
    ALTER TYPE payments.alarm_kind ADD VALUE IF NOT EXISTS 'answer_not_applied' AFTER 'cannot_post'
    """,
)

ANSWERS = f"""
CREATE TYPE payments.answer_kind AS ENUM (
    'settled', 'rejected', 'pending', 'not_known', 'no_answer', 'unsendable', 'not_sent'
);
CREATE TABLE payments.answer (
    number bigint GENERATED ALWAYS AS IDENTITY,
    instruction_id uuid NOT NULL,
    our_reference uuid,
    server_correlation_id uuid,
    amount_minor bigint,
    heard_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    applied_at timestamptz,
    try_at timestamptz NOT NULL,
    kind payments.answer_kind NOT NULL,
    provider_number smallint NOT NULL,
    actor text NOT NULL,
    reason text,
    currency text,
    transaction_reference text,
    CONSTRAINT answer_primary_key PRIMARY KEY (number)
);
CREATE INDEX answer_to_apply_index ON payments.answer (try_at) WHERE applied_at IS NULL;
COMMENT ON TABLE payments.answer IS
'What providers answered, as it was heard: stored before it is applied, and applied until it is.';
GRANT SELECT, INSERT, UPDATE (applied_at, try_at) ON payments.answer TO {ROLE};
"""

SENDINGS = """
ALTER TABLE payments.transfer
    ADD COLUMN sending smallint DEFAULT 1 NOT NULL,
    DROP CONSTRAINT transfer_payment_instruction_id_code_unique,
    ADD CONSTRAINT transfer_payment_instruction_id_code_sending_unique
        UNIQUE (payment_instruction_id, code, sending),
    ADD CONSTRAINT transfer_sending_is_counted_check
        CHECK (sending = 1 OR sending > 1 AND code IN ('sent', 'not_sent'));
"""

# Of what was sent again it is not known any more when that was first: a person decides on those.
INSTRUCTIONS = f"""
ALTER TABLE payments.instruction ADD COLUMN first_sent_at timestamptz;
UPDATE payments.instruction
SET first_sent_at = sent_at
WHERE status IN ('sending', 'pending', 'unknown') AND sent_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM payments.instruction_move
        WHERE instruction_move.instruction_id = instruction.id AND from_status = 'unknown'
            AND to_status = 'sending'
    );
GRANT UPDATE (first_sent_at) ON payments.instruction TO {ROLE};
"""

REFERENCES = """
WITH repeated AS (
    SELECT id, transaction_reference
    FROM (
        SELECT id, transaction_reference, row_number() OVER (
            PARTITION BY provider_number, transaction_reference ORDER BY finished_at, id
        ) AS position
        FROM payments.instruction
        WHERE status = 'settled' AND transaction_reference IS NOT NULL
    ) AS settled
    WHERE position > 1
),
told AS (
    INSERT INTO payments.alarm (instruction_id, kind, detail, raised_at)
    SELECT id, 'different_payment',
        'The provider reported it paid by the reference ' || transaction_reference
            || ', which another settled payment has. Compare with the provider''s statement.',
        clock_timestamp()
    FROM repeated
    ON CONFLICT (instruction_id, kind)
        DO UPDATE SET occurrences = alarm.occurrences + 1, detail = excluded.detail
)
UPDATE payments.instruction SET transaction_reference = NULL
FROM repeated
WHERE instruction.id = repeated.id;
CREATE UNIQUE INDEX instruction_one_for_a_reference_index
    ON payments.instruction (provider_number, transaction_reference)
    WHERE status = 'settled' AND transaction_reference IS NOT NULL;
"""

PROVIDERS = f"""
ALTER TABLE payments.provider ADD COLUMN published boolean DEFAULT false NOT NULL;
GRANT UPDATE (published) ON payments.provider TO {ROLE};
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    for statements in (ANSWERS, SENDINGS, INSTRUCTIONS, REFERENCES, PROVIDERS):
        execute_each(statements)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    execute_each(
        """
        ALTER TABLE payments.provider DROP COLUMN published;
        DROP INDEX payments.instruction_one_for_a_reference_index;
        ALTER TABLE payments.instruction DROP COLUMN first_sent_at;
        ALTER TABLE payments.transfer
            DROP CONSTRAINT transfer_payment_instruction_id_code_sending_unique,
            DROP COLUMN sending,
            ADD CONSTRAINT transfer_payment_instruction_id_code_unique
                UNIQUE (payment_instruction_id, code);
        DROP TABLE payments.answer;
        DROP TYPE payments.answer_kind;
        """
    )
