"""The statement that moves instructions, composed from the table of moves."""

from sqlalchemy import TextClause, text

from services.payments.instructions.postings import IS_OF_THE_CHUNK, scope_of
from services.payments.instructions.postings import POSTING_ROWS as POSTING_ROWS
from services.payments.instructions.states import ENDS, MOVES
from services.payments.ledger.accounts import TransferCode
from services.payments.statements import among
from shared.retry import Backoff

_STATUS = "payments.instruction_status"
_IS_LEGAL = "CASE input.target {} ELSE false END".format(
    " ".join(
        f"WHEN '{target}' THEN instruction.status IN "
        f"({among(sorted(before for before, after in MOVES if after is target))})"
        for target in sorted({after for _, after in MOVES})
    )
)
"""Whether an ``instruction`` may go where its ``input`` says. A join with the moves would look each
instruction up once for every state that may go there."""

_BOUND = f"""
    SELECT id, CAST(target AS {_STATUS}) AS target, reason, note, transaction_reference,
        server_correlation_id, paid_minor, claimed_at_position,
        CAST(NULL AS integer) AS batch_number
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:targets AS text[]),
        CAST(:reasons AS text[]), CAST(:notes AS text[]),
        CAST(:references AS text[]), CAST(:correlations AS uuid[]),
        CAST(:paid AS bigint[]), CAST(:claims AS integer[])
    ) AS bound (id, target, reason, note, transaction_reference, server_correlation_id,
        paid_minor, claimed_at_position)
"""
"""The moves that are bound to the statement, one by one."""


FOUND_BY_ID = "instruction.id = input.id"
FOUND_BY_PLACE = "instruction.ctid = input.place"
"""Of what the statement saw in its place (its ``ctid``) and locked there: nobody moved it since,
and no index is gone through. What moved in between is not found, or as by its id."""


def moves_given(
    *,
    target: str,
    source: str,
    reason: str = "CAST(NULL AS text)",
    transaction_reference: str = "CAST(NULL AS text)",
    claimed_at_position: str = "CAST(NULL AS integer)",
    batch_number: str = "CAST(NULL AS integer)",
) -> str:
    """Moves of a set that the statement finds and locks by itself: expressions over ``source``.

    ``source`` names a common table expression with the ``id`` of each, and its ``place``, and what
    is joined to it.
    """
    return f"""
        SELECT id, CAST({target} AS {_STATUS}) AS target, {reason} AS reason,
            CAST(NULL AS text) AS note, {transaction_reference} AS transaction_reference,
            CAST(NULL AS uuid) AS server_correlation_id, CAST(NULL AS bigint) AS paid_minor,
            {claimed_at_position} AS claimed_at_position, {batch_number} AS batch_number, place
        FROM {source}
    """


def move_instructions(
    *,
    lease_seconds: float,
    unknown: Backoff,
    pending: Backoff,
    before: str = "",
    given: str = _BOUND,
    found_by: str = FOUND_BY_ID,
    returning: str = "",
    result: str = "SELECT id FROM moved",
) -> TextClause:
    """Moves a set, with its history and postings; returns the ids of those that moved.

    All of them are one journal entry: a transfer for each code and pair of accounts, of which the
    moves are the lines. Where a statement finds the set by itself, ``before`` are its common table
    expressions, ``given`` its moves, ``found_by`` how each is found again, ``returning`` what it
    needs of each that moved besides, and ``result`` what it returns of them.
    """
    moved = f"""
            UPDATE payments.instruction
            SET status = input.target,
                moves = instruction.moves + 1,
                inquiries = CASE WHEN input.target = 'pending' THEN 0
                    ELSE instruction.inquiries END,
                next_action_at = clock_timestamp() + make_interval(secs => CASE input.target
                    -- What is in a batch has the batch's lease.
                    WHEN 'sending' THEN CASE WHEN input.batch_number IS NULL
                        THEN {lease_seconds!r}::float8 END
                    WHEN 'unknown' THEN {unknown.sql("instruction.inquiries")}
                    WHEN 'ready' THEN {unknown.sql("0")}
                    WHEN 'pending' THEN {pending.sql("0")}
                END),
                -- What may have been sent may have been since its chunk was announced.
                first_sent_at = CASE
                    WHEN input.target = 'sending'
                        THEN coalesce(instruction.first_sent_at, clock_timestamp())
                    WHEN input.target = 'ready' THEN NULL
                    WHEN instruction.status = 'ready' AND input.target = 'unknown' THEN (
                        SELECT told_at FROM payments.chunk
                        WHERE chunk.number = instruction.chunk_number
                    )
                    ELSE instruction.first_sent_at END,
                sent_at = CASE
                    WHEN input.target = 'ready' THEN NULL
                    -- A request leaves between being intended and being given up; and one that
                    -- the database does not know of may have left just now.
                    WHEN input.target = 'sending'
                        OR instruction.status IN ('sending', 'ready')
                            AND input.target = 'unknown'
                        THEN clock_timestamp()
                    ELSE instruction.sent_at END,
                finished_at = CASE WHEN input.target IN ({among(ENDS)})
                    THEN CAST(:at AS timestamptz) END,
                reason = CASE WHEN input.target NOT IN ('ready', 'sending', 'settled')
                    THEN input.reason END,
                transaction_reference =
                    coalesce(input.transaction_reference, instruction.transaction_reference),
                server_correlation_id =
                    coalesce(input.server_correlation_id, instruction.server_correlation_id),
                batch_number = CASE WHEN input.target <> 'ready'
                    THEN coalesce(input.batch_number, instruction.batch_number) END,
                paid_minor = coalesce(input.paid_minor, instruction.paid_minor),
                -- A person's word to send it again holds for one sending.
                resend_approved_at = NULL
            FROM input
            WHERE {found_by}
              AND {_IS_LEGAL}
              AND (input.target <> 'ready' OR instruction.moves = input.claimed_at_position)
            RETURNING instruction.id, instruction.amount_minor,
                coalesce(new.paid_minor, instruction.amount_minor) AS paid_minor,
                instruction.chunk_number,
                instruction.provider_number, old.status AS from_status, new.status AS to_status,
                new.moves AS position, coalesce(input.note, input.reason) AS reason{returning}
    """
    return text(
        booked(before=f"{before} input AS MATERIALIZED ({given}),", moved=moved, result=result)
    )


def booked(*, before: str = "", moved: str, result: str = "SELECT id FROM moved") -> str:
    """What moves a set by ``moved``, with its history and postings, as one journal entry.

    ``moved`` returns of each id, amount_minor, paid_minor, chunk_number, provider_number,
    from_status, to_status, position and reason.
    """
    return f"""
        WITH {before}
        moved AS ({moved}),
        entry AS (
            INSERT INTO payments.journal_entry (posted_at, actor)
            SELECT :at, :actor WHERE EXISTS (SELECT FROM moved)
            RETURNING number
        ),
        charged AS (
            SELECT moved.id, moved.amount_minor, moved.paid_minor, moved.chunk_number,
                moved.provider_number, moved.from_status, moved.to_status, moved.position,
                moved.reason, CASE WHEN moved.to_status = 'settled' THEN nullif(
                provider.charge_fixed_minor + floor(
                    moved.paid_minor::numeric * provider.charge_basis_points / 10000
                )::bigint, 0) END AS charge_minor
            FROM moved
            JOIN payments.provider ON provider.number = moved.provider_number
        ),
        remembered AS (
            INSERT INTO payments.instruction_move (instruction_id, entry_number, position,
                from_status, to_status, charge_minor, reason)
            SELECT id, entry.number, position, from_status, to_status, charge_minor, reason
            FROM charged CROSS JOIN entry
        ),
        turnover AS (
            SELECT chunk_number, provider_number, from_status, to_status,
                sum(amount_minor) AS ordered_minor, sum(paid_minor) AS paid_minor,
                sum(greatest(amount_minor - paid_minor, 0)) AS under_minor,
                sum(greatest(paid_minor - amount_minor, 0)) AS over_minor,
                sum(charge_minor) AS charge_minor
            FROM charged
            GROUP BY chunk_number, provider_number, from_status, to_status
        ),
        posting (from_status, to_status, differs, code, debit, debit_scope, credit, credit_scope)
        AS (VALUES
            {POSTING_ROWS}
        ),
        line AS (
            SELECT debit.id AS debit_account, credit.id AS credit_account, chunk.currency,
                posting.code,
                CASE posting.differs
                    WHEN -1 THEN turnover.under_minor
                    WHEN 1 THEN turnover.over_minor
                    ELSE CASE posting.code
                        WHEN '{TransferCode.RETURNED}' THEN turnover.paid_minor
                        WHEN '{TransferCode.CHARGED}' THEN turnover.charge_minor
                        ELSE turnover.ordered_minor END
                END AS amount_minor
            FROM turnover
            JOIN payments.chunk ON chunk.number = turnover.chunk_number
            JOIN payments.payment_round ON payment_round.number = chunk.round_number
                AND (payment_round.status = 'released' OR turnover.to_status <> 'cancelled')
            JOIN payments.provider ON provider.number = turnover.provider_number
            JOIN posting ON CAST(posting.from_status AS {_STATUS}) = turnover.from_status
                AND CAST(posting.to_status AS {_STATUS}) = turnover.to_status
                AND {IS_OF_THE_CHUNK}
            -- An account that is missing makes a null here, and the whole statement fails.
            LEFT JOIN payments.account AS debit
                ON debit.code = CAST(posting.debit AS payments.account_code)
                AND debit.scope =
                    {scope_of("posting.debit_scope")}
            LEFT JOIN payments.account AS credit
                ON credit.code = CAST(posting.credit AS payments.account_code)
                AND credit.scope =
                    {scope_of("posting.credit_scope")}
        ),
        posted AS (
            INSERT INTO payments.transfer (entry_number, debit_account, credit_account,
                amount_minor, currency, code, posted_at)
            SELECT entry.number, debit_account, credit_account, sum(amount_minor), currency,
                CAST(code AS payments.transfer_code), :at
            FROM line CROSS JOIN entry
            WHERE amount_minor > 0
            GROUP BY entry.number, debit_account, credit_account, currency, code
        )
        {result}
    """
