"""How balances follow from transfers: the rules that the database keeps whoever writes to it."""

from services.payments.ledger.tables import Transfer
from shared.schema.declaration import comes_with

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

comes_with(Transfer.__table__, MOVE_BALANCES, TRANSFER_MOVES_BALANCES)
