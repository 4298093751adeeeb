"""The payments service's schema: ledger, rounds, chunks, instructions, webhooks."""

from alembic import op

from shared.migrations import execute_each, grants, role_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = role_of("payments")

TYPES = """
CREATE TYPE payments.account_code AS ENUM (
    'TREASURY_CASH',
    'FUNDS_RECEIVED',
    'PROVIDER_FLOAT',
    'IN_TRANSIT',
    'GRANTS_PAID',
    'RETURNS_PAYABLE',
    'SUSPENSE',
    'BUDGET_AUTHORISED',
    'BUDGET_AVAILABLE',
    'COMMITTED',
    'BUDGET_SPENT'
);
CREATE TYPE payments.book AS ENUM ('cash', 'budget');
CREATE TYPE payments.alarm_kind AS ENUM (
    'late_success',
    'contradiction',
    'different_payment',
    'cannot_post',
    'account_unreadable'
);
CREATE TYPE payments.instruction_status AS ENUM (
    'ready',
    'sending',
    'pending',
    'unknown',
    'settled',
    'rejected',
    'held',
    'returned',
    'cancelled'
);
CREATE TYPE payments.round_status AS ENUM ('gathering', 'released', 'unfunded', 'refused');
CREATE TYPE payments.transfer_code AS ENUM (
    'fund_received',
    'budget_authorised',
    'provider_prefunded',
    'round_reserved',
    'attempt_reserved',
    'sent',
    'settled',
    'commitment_spent',
    'rejected',
    'commitment_released',
    'held',
    'late_success_held',
    'late_success_recommitted',
    'held_settled',
    'held_returned',
    'held_released',
    'returned'
);
CREATE TYPE payments.webhook_status AS ENUM (
    'received',
    'applied',
    'unmatched',
    'blocked',
    'malformed'
);
CREATE TYPE payments.chunk_status AS ENUM ('announced', 'raised', 'refused', 'settled');
"""

TABLES = """
CREATE TABLE payments.provider (
    number smallint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT provider_primary_key PRIMARY KEY (number),
    CONSTRAINT provider_code_unique UNIQUE (code)
);
COMMENT ON TABLE payments.provider IS
'Mobile-money providers, taken from the settings when a process starts.';

CREATE TABLE payments.fund (
    code text NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT fund_primary_key PRIMARY KEY (code)
);
COMMENT ON TABLE payments.fund IS
'Money set aside. The code is the scope of its ledger accounts.';

CREATE TABLE payments.account (
    id integer GENERATED ALWAYS AS IDENTITY,
    code payments.account_code NOT NULL,
    scope text NOT NULL,
    book payments.book NOT NULL,
    currency text NOT NULL,
    overdraft_refused boolean NOT NULL,
    debits_minor bigint DEFAULT 0 NOT NULL,
    credits_minor bigint DEFAULT 0 NOT NULL,
    CONSTRAINT account_primary_key PRIMARY KEY (id),
    CONSTRAINT account_code_scope_unique UNIQUE (code, scope),
    CONSTRAINT account_overdraft_refused_check
        CHECK (NOT overdraft_refused OR debits_minor >= credits_minor)
)
-- A few hot rows, updated by every batch: room for their next versions on the same page.
WITH (fillfactor = 25);
COMMENT ON TABLE payments.account IS
'Ledger accounts. Balances are moved by the trigger on transfer and by nothing else.';

CREATE TABLE payments.transfer (
    id uuid DEFAULT uuidv7() NOT NULL,
    payment_instruction_id uuid,
    amount_minor bigint NOT NULL,
    posted_at timestamptz NOT NULL,
    debit_account integer NOT NULL,
    credit_account integer NOT NULL,
    round_number integer,
    code payments.transfer_code NOT NULL,
    currency text NOT NULL,
    reason text,
    CONSTRAINT transfer_primary_key PRIMARY KEY (id),
    CONSTRAINT transfer_payment_instruction_id_code_unique UNIQUE (payment_instruction_id, code),
    CONSTRAINT transfer_amount_is_positive_check CHECK (amount_minor > 0),
    CONSTRAINT transfer_accounts_differ_check CHECK (debit_account <> credit_account)
);
CREATE UNIQUE INDEX transfer_round_reserved_once_index ON payments.transfer (round_number)
    WHERE round_number IS NOT NULL;
COMMENT ON TABLE payments.transfer IS
'Double-entry: one row debits one account and credits another. It only gains rows.';

CREATE TABLE payments.payment_round (
    number integer GENERATED ALWAYS AS IDENTITY,
    enrolment_id uuid NOT NULL,
    round integer NOT NULL,
    activation_id uuid NOT NULL,
    scheme text NOT NULL,
    fund text,
    currency text,
    chunk_count integer,
    entitlement_count integer,
    total_minor bigint,
    status payments.round_status NOT NULL,
    reason text,
    reserved_minor bigint,
    announced_at timestamptz NOT NULL,
    released_at timestamptz,
    CONSTRAINT payment_round_primary_key PRIMARY KEY (number),
    CONSTRAINT payment_round_enrolment_id_round_unique UNIQUE (enrolment_id, round)
);
CREATE INDEX payment_round_activation_index ON payments.payment_round (activation_id);
CREATE INDEX payment_round_waiting_index ON payments.payment_round (number)
    WHERE status IN ('gathering', 'unfunded');
COMMENT ON TABLE payments.payment_round IS
'One round of one enrolment. Only instructions of released rounds are dispatched.';

CREATE TABLE payments.chunk (
    number integer GENERATED ALWAYS AS IDENTITY,
    chunk_id uuid NOT NULL,
    round_number integer NOT NULL,
    fund text NOT NULL,
    currency text NOT NULL,
    entitlement_count integer NOT NULL,
    total_minor bigint NOT NULL,
    status payments.chunk_status NOT NULL,
    reason text,
    fetch_failures integer DEFAULT 0 NOT NULL,
    fetch_at timestamptz NOT NULL,
    announced_at timestamptz NOT NULL,
    raised_at timestamptz,
    settled_at timestamptz,
    CONSTRAINT chunk_primary_key PRIMARY KEY (number),
    CONSTRAINT chunk_chunk_id_unique UNIQUE (chunk_id),
    CONSTRAINT chunk_round_number_foreign_key
        FOREIGN KEY (round_number) REFERENCES payments.payment_round (number)
);
CREATE INDEX chunk_to_fetch_index ON payments.chunk (fetch_at)
    WHERE status = 'announced';
CREATE INDEX chunk_open_index ON payments.chunk (number)
    WHERE status = 'raised';
CREATE INDEX chunk_round_index ON payments.chunk (round_number);
COMMENT ON TABLE payments.chunk IS
'Announced portions of entitlements. The number is the short key on instructions.';

CREATE TABLE payments.instruction (
    id uuid DEFAULT uuidv7() NOT NULL,
    entitlement_id uuid NOT NULL,
    household_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    chunk_number integer NOT NULL,
    status payments.instruction_status NOT NULL,
    provider_number smallint NOT NULL,
    attempt smallint DEFAULT 1 NOT NULL,
    moves smallint DEFAULT 0 NOT NULL,
    inquiries smallint DEFAULT 0 NOT NULL,
    next_action_at timestamptz,
    sent_at timestamptz,
    finished_at timestamptz,
    server_correlation_id uuid,
    account_sealed bytea NOT NULL,
    transaction_reference text,
    reason text,
    CONSTRAINT instruction_primary_key PRIMARY KEY (id)
);
CREATE INDEX instruction_ended_unpaid_index ON payments.instruction (entitlement_id)
    WHERE status IN ('rejected', 'held', 'returned', 'cancelled');
CREATE INDEX instruction_chunk_index
    ON payments.instruction (chunk_number, status, provider_number);
CREATE UNIQUE INDEX instruction_one_for_an_entitlement_index
    ON payments.instruction (entitlement_id)
    WHERE status IN ('ready', 'sending', 'pending', 'unknown', 'settled');
CREATE INDEX instruction_due_index ON payments.instruction (next_action_at)
    WHERE status IN ('sending', 'pending', 'unknown');
COMMENT ON TABLE payments.instruction IS
'One attempt to pay one entitlement; the id is the correlation id at the provider.';

CREATE TABLE payments.instruction_move (
    instruction_id uuid NOT NULL,
    moved_at timestamptz NOT NULL,
    from_status payments.instruction_status NOT NULL,
    to_status payments.instruction_status NOT NULL,
    position smallint NOT NULL,
    actor text NOT NULL,
    reason text,
    CONSTRAINT instruction_move_primary_key PRIMARY KEY (instruction_id, position)
);
COMMENT ON TABLE payments.instruction_move IS
'Who moved an instruction, when and why. It only gains rows.';

CREATE TABLE payments.alarm (
    number bigint GENERATED ALWAYS AS IDENTITY,
    instruction_id uuid NOT NULL,
    kind payments.alarm_kind NOT NULL,
    detail text NOT NULL,
    occurrences integer DEFAULT 1 NOT NULL,
    raised_at timestamptz NOT NULL,
    CONSTRAINT alarm_primary_key PRIMARY KEY (number),
    CONSTRAINT alarm_instruction_id_kind_unique UNIQUE (instruction_id, kind)
);
COMMENT ON TABLE payments.alarm IS
'What a person has to look at.';

CREATE TABLE payments.webhook (
    id uuid DEFAULT uuidv7() NOT NULL,
    received_at timestamptz DEFAULT now() NOT NULL,
    worked_at timestamptz,
    instruction_id uuid,
    status payments.webhook_status NOT NULL,
    provider_number smallint NOT NULL,
    webhook_id text NOT NULL,
    body_sealed bytea NOT NULL,
    reason text,
    CONSTRAINT webhook_primary_key PRIMARY KEY (id),
    CONSTRAINT webhook_provider_number_webhook_id_unique UNIQUE (provider_number, webhook_id)
);
CREATE INDEX webhook_waiting_index ON payments.webhook (instruction_id)
    WHERE status IN ('unmatched', 'blocked');
CREATE INDEX webhook_to_apply_index ON payments.webhook (id)
    WHERE status = 'received';
COMMENT ON TABLE payments.webhook IS
'Signed callbacks, raw and sealed. Stored durably before the provider is answered.';

CREATE TABLE payments.event_cursor (
    consumer text NOT NULL,
    epoch integer DEFAULT 0 NOT NULL,
    transaction_id xid8 DEFAULT '0'::xid8 NOT NULL,
    sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT event_cursor_primary_key PRIMARY KEY (consumer)
);
COMMENT ON TABLE payments.event_cursor IS
'How far each consumer has read the event log.';

CREATE TABLE payments.dead_letter (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    error text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    failed_at timestamptz DEFAULT now() NOT NULL,
    replay_requested_at timestamptz,
    CONSTRAINT dead_letter_primary_key PRIMARY KEY (consumer, event_id)
);
COMMENT ON TABLE payments.dead_letter IS
'Events whose handler failed: parked here, visible, and replayable.';

CREATE TABLE payments.idempotency_key (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    status integer,
    body jsonb,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_key_primary_key PRIMARY KEY (caller, route, key)
);
COMMENT ON TABLE payments.idempotency_key IS
'Answers to POSTs that create, so that a repeat gets the same answer.';

"""

# Statement-level: one update for each account that a statement touched, however many transfers.
# The owner's rights: the service's role may insert transfers and may not touch a balance.
MOVE_BALANCES = """
CREATE FUNCTION payments.move_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    refused uuid;
BEGIN
    -- In the order of their ids, so that two statements never wait for each other in a circle.
    PERFORM 1
    FROM account
    WHERE id IN (SELECT debit_account FROM posted UNION SELECT credit_account FROM posted)
    ORDER BY id
    FOR NO KEY UPDATE;

    SELECT posted.id INTO refused
    FROM posted
    LEFT JOIN account AS debit ON debit.id = posted.debit_account
    LEFT JOIN account AS credit ON credit.id = posted.credit_account
    WHERE debit.currency IS DISTINCT FROM posted.currency
       OR credit.currency IS DISTINCT FROM posted.currency
       OR debit.book IS DISTINCT FROM credit.book
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION
            'transfer % is refused: both accounts have to exist, in its currency and in one book',
            refused
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_accounts_agree_check';
    END IF;

    UPDATE account
    SET debits_minor = account.debits_minor + turnover.debits_minor,
        credits_minor = account.credits_minor + turnover.credits_minor
    FROM (
        SELECT account_id,
               sum(debit_minor)::bigint AS debits_minor,
               sum(credit_minor)::bigint AS credits_minor
        FROM (
            SELECT debit_account AS account_id, amount_minor AS debit_minor, 0 AS credit_minor
            FROM posted
            UNION ALL
            SELECT credit_account, 0, amount_minor
            FROM posted
        ) AS side
        GROUP BY account_id
    ) AS turnover
    WHERE account.id = turnover.account_id;
    RETURN NULL;
END
$$
"""

TRANSFER_MOVES_BALANCES = """
CREATE TRIGGER transfer_moves_balances AFTER INSERT ON payments.transfer
REFERENCING NEW TABLE AS posted
FOR EACH STATEMENT EXECUTE FUNCTION payments.move_balances()
"""

GRANTS = f"""
GRANT SELECT, INSERT (code, name, currency), UPDATE (name) ON payments.provider TO {ROLE};
GRANT SELECT, INSERT ON payments.fund TO {ROLE};
GRANT SELECT, INSERT (code, scope, book, currency, overdraft_refused)
    ON payments.account TO {ROLE};
GRANT SELECT, INSERT ON payments.transfer TO {ROLE};
GRANT SELECT, INSERT, UPDATE ON payments.payment_round TO {ROLE};
GRANT SELECT, INSERT, UPDATE ON payments.chunk TO {ROLE};
GRANT SELECT, INSERT, UPDATE (
    status, moves, inquiries, next_action_at, sent_at, finished_at, server_correlation_id,
    transaction_reference, reason
) ON payments.instruction TO {ROLE};
GRANT SELECT, INSERT ON payments.instruction_move TO {ROLE};
GRANT SELECT, INSERT, UPDATE (occurrences, detail) ON payments.alarm TO {ROLE};
GRANT SELECT, INSERT, UPDATE (status, worked_at, instruction_id, reason)
    ON payments.webhook TO {ROLE};
GRANT SELECT, INSERT, UPDATE ON payments.event_cursor TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON payments.dead_letter TO {ROLE};
GRANT SELECT, INSERT, UPDATE ON payments.idempotency_key TO {ROLE};
"""


def upgrade() -> None:
    execute_each(TYPES)
    execute_each(TABLES)
    op.execute(MOVE_BALANCES)
    op.execute(TRANSFER_MOVES_BALANCES)
    for grant in grants("payments"):
        op.execute(grant)
    execute_each(GRANTS)


def downgrade() -> None:
    for table in (
        "webhook",
        "alarm",
        "instruction_move",
        "instruction",
        "chunk",
        "payment_round",
        "transfer",
        "account",
        "fund",
        "provider",
        "idempotency_key",
        "dead_letter",
        "event_cursor",
    ):
        op.execute(f"DROP TABLE payments.{table}")
    op.execute("DROP FUNCTION payments.move_balances()")
    for enumeration in (
        "account_code",
        "alarm_kind",
        "book",
        "chunk_status",
        "instruction_status",
        "round_status",
        "transfer_code",
        "webhook_status",
    ):
        op.execute(f"DROP TYPE payments.{enumeration}")
