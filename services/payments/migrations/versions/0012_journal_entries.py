"""What is moved together is booked together: a transfer for many payments, its moves as lines."""

from shared.migrations import execute_each, role_of

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

ENTRIES = f"""
CREATE TABLE payments.journal_entry (
    number bigint GENERATED ALWAYS AS IDENTITY,
    posted_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT journal_entry_primary_key PRIMARY KEY (number)
);
COMMENT ON TABLE payments.journal_entry IS
'What was booked together. Its lines are the moves of instructions, and its transfers the sums of '
'their shares. It only gains rows.';
GRANT SELECT, INSERT ON payments.journal_entry TO {ROLE};
ALTER TABLE payments.transfer ADD COLUMN entry_number bigint;
ALTER TABLE payments.instruction_move ADD COLUMN entry_number bigint;
INSERT INTO payments.journal_entry (posted_at, actor)
SELECT moved_at, actor
FROM payments.instruction_move
GROUP BY moved_at, actor
ORDER BY moved_at, actor;
UPDATE payments.instruction_move AS move
SET entry_number = entry.number
FROM payments.journal_entry AS entry
WHERE (entry.posted_at, entry.actor) = (move.moved_at, move.actor);
"""

# Which moves posted a code: as the table of moves was, up to this revision.
CODES = """
    VALUES
    ('ready', 'sending', 'sent'), ('ready', 'unknown', 'sent'), ('sending', 'ready', 'not_sent'),
    ('ready', 'cancelled', 'commitment_released'),
    ('sending', 'settled', 'settled'), ('sending', 'settled', 'commitment_spent'),
    ('pending', 'settled', 'settled'), ('pending', 'settled', 'commitment_spent'),
    ('unknown', 'settled', 'settled'), ('unknown', 'settled', 'commitment_spent'),
    ('sending', 'rejected', 'rejected'), ('sending', 'rejected', 'commitment_released'),
    ('pending', 'rejected', 'rejected'), ('pending', 'rejected', 'commitment_released'),
    ('unknown', 'rejected', 'rejected'), ('unknown', 'rejected', 'commitment_released'),
    ('sending', 'held', 'held'), ('pending', 'held', 'held'), ('unknown', 'held', 'held'),
    ('rejected', 'held', 'late_success_held'), ('rejected', 'held', 'late_success_recommitted'),
    ('held', 'settled', 'held_settled'), ('held', 'settled', 'commitment_spent'),
    ('held', 'settled', 'underpaid'), ('held', 'settled', 'underpaid_released'),
    ('held', 'settled', 'overpaid'), ('held', 'settled', 'overpaid_spent'),
    ('pending', 'settled', 'underpaid'), ('pending', 'settled', 'underpaid_released'),
    ('pending', 'settled', 'overpaid'), ('pending', 'settled', 'overpaid_spent'),
    ('unknown', 'settled', 'underpaid'), ('unknown', 'settled', 'underpaid_released'),
    ('unknown', 'settled', 'overpaid'), ('unknown', 'settled', 'overpaid_spent'),
    ('held', 'returned', 'held_returned'), ('held', 'returned', 'held_released'),
    ('settled', 'returned', 'returned')
"""

# The balances stay as they are: what is added up is taken away.
GATHER = f"""
ALTER TABLE payments.transfer
    DISABLE TRIGGER transfer_moves_balances,
    DROP CONSTRAINT transfer_sending_is_counted_check,
    DROP CONSTRAINT transfer_payment_instruction_id_code_sending_unique;
WITH posted (from_status, to_status, code) AS ({CODES}),
single AS (
    SELECT transfer.id, move.entry_number
    FROM payments.transfer
    JOIN posted ON posted.code = transfer.code::text
    JOIN payments.instruction_move AS move
        ON move.instruction_id = transfer.payment_instruction_id
        AND move.from_status::text = posted.from_status
        AND move.to_status::text = posted.to_status
        AND (
            transfer.code NOT IN ('sent', 'not_sent')
            OR transfer.sending = (move.position + 1) / 2
        )
),
gone AS (
    DELETE FROM payments.transfer USING single
    WHERE transfer.id = single.id
    RETURNING single.entry_number, debit_account, credit_account, amount_minor, currency, code,
        posted_at
)
INSERT INTO payments.transfer (entry_number, debit_account, credit_account, amount_minor,
    currency, code, posted_at)
SELECT entry_number, debit_account, credit_account, sum(amount_minor), currency, code,
    min(posted_at)
FROM gone
GROUP BY entry_number, debit_account, credit_account, currency, code;
ALTER TABLE payments.transfer
    ENABLE TRIGGER transfer_moves_balances,
    DROP COLUMN sending,
    ADD CONSTRAINT transfer_has_one_source_check
        CHECK (payment_instruction_id IS NULL OR entry_number IS NULL);
CREATE UNIQUE INDEX transfer_of_a_payment_once_index
    ON payments.transfer (payment_instruction_id, code)
    WHERE payment_instruction_id IS NOT NULL;
CREATE UNIQUE INDEX transfer_of_an_entry_once_index
    ON payments.transfer (entry_number, code, debit_account, credit_account)
    WHERE entry_number IS NOT NULL;
"""

LINES = """
ALTER TABLE payments.instruction_move
    ALTER COLUMN entry_number SET NOT NULL,
    DROP COLUMN moved_at,
    DROP COLUMN actor;
CREATE INDEX instruction_move_entry_index ON payments.instruction_move USING brin (entry_number);
COMMENT ON TABLE payments.instruction_move IS
'What an instruction went through, and why. It only gains rows.';
"""

UNGATHER = f"""
ALTER TABLE payments.instruction_move
    ADD COLUMN moved_at timestamptz,
    ADD COLUMN actor text;
DROP INDEX payments.instruction_move_entry_index;
UPDATE payments.instruction_move AS move
SET moved_at = entry.posted_at, actor = entry.actor
FROM payments.journal_entry AS entry
WHERE entry.number = move.entry_number;
DROP INDEX payments.transfer_of_an_entry_once_index;
DROP INDEX payments.transfer_of_a_payment_once_index;
ALTER TABLE payments.transfer
    DISABLE TRIGGER transfer_moves_balances,
    DROP CONSTRAINT transfer_has_one_source_check,
    ADD COLUMN sending smallint DEFAULT 1 NOT NULL;
WITH posted (from_status, to_status, code) AS ({CODES}),
gone AS (
    DELETE FROM payments.transfer WHERE entry_number IS NOT NULL RETURNING *
)
INSERT INTO payments.transfer (payment_instruction_id, debit_account, credit_account,
    amount_minor, currency, code, posted_at, sending)
SELECT instruction.id, gone.debit_account, gone.credit_account,
    CASE
        WHEN gone.code IN ('underpaid', 'underpaid_released', 'overpaid', 'overpaid_spent')
            THEN abs(instruction.paid_minor - instruction.amount_minor)
        WHEN gone.code = 'returned'
            THEN coalesce(instruction.paid_minor, instruction.amount_minor)
        ELSE instruction.amount_minor
    END,
    gone.currency, gone.code, gone.posted_at,
    CASE WHEN gone.code IN ('sent', 'not_sent') THEN (move.position + 1) / 2 ELSE 1 END
FROM gone
JOIN posted ON posted.code = gone.code::text
JOIN payments.instruction_move AS move ON move.entry_number = gone.entry_number
    AND move.from_status::text = posted.from_status
    AND move.to_status::text = posted.to_status
JOIN payments.instruction ON instruction.id = move.instruction_id
JOIN payments.chunk ON chunk.number = instruction.chunk_number
JOIN payments.payment_round ON payment_round.number = chunk.round_number
JOIN payments.provider ON provider.number = instruction.provider_number
JOIN payments.account AS debit ON debit.id = gone.debit_account
    AND debit.scope IN (chunk.fund, provider.code)
JOIN payments.account AS credit ON credit.id = gone.credit_account
    AND credit.scope IN (chunk.fund, provider.code)
WHERE (gone.code::text NOT IN ('underpaid', 'underpaid_released')
        OR instruction.paid_minor < instruction.amount_minor)
  AND (gone.code::text NOT IN ('overpaid', 'overpaid_spent')
        OR instruction.paid_minor > instruction.amount_minor)
  AND (move.to_status <> 'cancelled' OR payment_round.status = 'released');
ALTER TABLE payments.transfer
    ENABLE TRIGGER transfer_moves_balances,
    DROP COLUMN entry_number,
    ADD CONSTRAINT transfer_payment_instruction_id_code_sending_unique
        UNIQUE (payment_instruction_id, code, sending),
    ADD CONSTRAINT transfer_sending_is_counted_check
        CHECK (sending = 1 OR sending > 1 AND code IN ('sent', 'not_sent'));
ALTER TABLE payments.instruction_move
    DROP COLUMN entry_number,
    ALTER COLUMN moved_at SET NOT NULL,
    ALTER COLUMN actor SET NOT NULL;
COMMENT ON TABLE payments.instruction_move IS
'Who moved an instruction, when and why. It only gains rows.';
DROP TABLE payments.journal_entry;
"""


def upgrade() -> None:
    for statements in (ENTRIES, GATHER, LINES):
        execute_each(statements)


def downgrade() -> None:
    execute_each(UNGATHER)
