"""The statements that make a batch, apply its results, and split it."""

from collections.abc import Mapping

from sqlalchemy import TextClause, text

from services.payments.batches.states import OPEN
from services.payments.dispatch.repository import (
    CLAIMS_SIDE_BY_SIDE,
    COVERED_BY_FLOAT,
    NOT_CANCELLED,
    PERHAPS_PAID,
)
from services.payments.instructions.moves import Waits
from services.payments.instructions.statements import (
    FOUND_BY_PLACE,
    move_instructions,
    moves_given,
)
from services.payments.instructions.states import Status
from services.payments.providers.batches import ResultKind
from services.payments.statements import CHUNK_PAUSED, PAUSED_AREAS, among, outside

# What a provider does not know may not be there at all: what is ready does not wait for it. Yet a
# provider that forgets all that it takes does not get the whole country before that is certain.
_NOT_KNOWN_YET = "(status = 'unknown' AND reason IS NOT DISTINCT FROM 'not_known_may_be_untrue')"
_TIMES_NOT_KNOWN = 5

# The oldest chunk that has something ready at the provider: a batch is of one chunk. Beside others
# the oldest that nobody else is at, and only where the float is ample for all of them: the OFFSET
# keeps it so that no chunk is locked but the one that is taken.
_PICKED = f"""
    open AS MATERIALIZED (
        SELECT number, currency, paused_areas
        FROM (
        SELECT chunk.number, chunk.currency, paused.areas AS paused_areas
        FROM payments.chunk
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        CROSS JOIN LATERAL (SELECT {PAUSED_AREAS} AS areas) AS paused
        WHERE chunk.status = 'raised' AND payment_round.status = 'released'
          AND NOT {CHUNK_PAUSED}
          AND chunk.epoch = (SELECT events.current_epoch()) AND {NOT_CANCELLED}
          AND EXISTS (
              SELECT FROM payments.instruction
              WHERE chunk_number = chunk.number AND status = 'ready'
                AND provider_number = :provider_number
                AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
                AND NOT {PERHAPS_PAID}
                AND {outside("paused.areas")}
                AND NOT withheld AND NOT account_unchecked
          )
          AND (
              SELECT count(*) < {_TIMES_NOT_KNOWN} * :most_open
                AND count(*) FILTER (WHERE NOT {_NOT_KNOWN_YET}) < :most_open
              FROM payments.batch
              WHERE provider_number = :provider_number AND status IN ({among(OPEN)})
          )
        ORDER BY chunk.number
        OFFSET 0
        ) AS chunk
        WHERE CASE WHEN CAST(:beside AS boolean)
            THEN pg_try_advisory_xact_lock(CAST(:provider_number AS bigint) << 32 | number)
            ELSE true END
        LIMIT 1
    ),
    candidate AS MATERIALIZED (
        SELECT id, place, amount_minor
        FROM open
        CROSS JOIN LATERAL (
            SELECT id, ctid AS place, amount_minor
            FROM payments.instruction
            WHERE chunk_number = open.number
              AND status = 'ready'
              AND provider_number = :provider_number
              AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
              AND NOT {PERHAPS_PAID}
              AND {outside("open.paused_areas")}
              AND NOT withheld AND NOT account_unchecked
              {{of_a_commune}}
            LIMIT :size
        ) AS ready
    ),
    covered AS MATERIALIZED ({COVERED_BY_FLOAT}),
    ample AS MATERIALIZED (
        SELECT NOT CAST(:beside AS boolean) OR debits_minor - credits_minor >=
            {CLAIMS_SIDE_BY_SIDE} * (SELECT sum(amount_minor) FROM candidate) AS is_so
        FROM payments.account
        WHERE code = 'PROVIDER_FLOAT' AND scope = :provider
    ),
    picked AS MATERIALIZED (
        SELECT instruction.id, covered.place, instruction.amount_minor
        FROM covered
        JOIN payments.instruction ON instruction.ctid = covered.place
        WHERE instruction.status = 'ready'
          -- A payment that is above the most by itself makes a batch of its own.
          AND (running <= coalesce(CAST(:most_minor AS bigint), running)
            OR running = covered.amount_minor)
          AND (SELECT is_so FROM ample)
        ORDER BY instruction.id
        FOR NO KEY UPDATE OF instruction SKIP LOCKED
    ),
    made AS (
        INSERT INTO payments.batch (id, provider_number, chunk_number, line_count, total_minor,
            status, next_action_at, first_sent_at, sent_at, made_at)
        SELECT :batch_id, :provider_number, (SELECT number FROM open), count(*),
            sum(amount_minor), 'sending',
            clock_timestamp() + make_interval(secs => :batch_lease_seconds),
            clock_timestamp(), clock_timestamp(), :at
        FROM picked
        HAVING count(*) > 0
        RETURNING number
    ),
"""
# Of what moved itself: how many that is the planner cannot know, and it would hold each against all
# that were picked.
_ACCOUNT = ", instruction.household_id, instruction.account_sealed"
_CLAIMED = """
    SELECT moved.id, moved.household_id, moved.amount_minor, moved.account_sealed,
        made.number, open.number AS chunk_number, open.currency
    FROM moved CROSS JOIN made CROSS JOIN open
    ORDER BY moved.id
"""

# The first of the communes that have something ready. What nobody knows the commune of is by
# itself. It is the same condition as above, over other rows of the same table.
_OF_A_COMMUNE = f"""
              AND instruction.area_code IS NOT DISTINCT FROM (
                  SELECT instruction.area_code
                  FROM payments.instruction
                  WHERE chunk_number = open.number
                    AND status = 'ready'
                    AND provider_number = :provider_number
                    AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
                    AND NOT {PERHAPS_PAID}
                    AND {outside("open.paused_areas")}
                    AND NOT withheld AND NOT account_unchecked
                  ORDER BY instruction.area_code
                  LIMIT 1
              )
            ORDER BY instruction.id
"""

# Whoever reads the same page beside us finds that it is read, and stops. What the provider told of
# it meanwhile stays due.
READ_TO = {
    kind: text(
        f"""
        UPDATE payments.batch
        SET {column} = :offset + :count,
            next_action_at = CASE WHEN next_action_at <= clock_timestamp() THEN next_action_at
                ELSE clock_timestamp() + make_interval(secs => :lease_seconds) END
        WHERE number = :number AND moves = :position AND {column} = :offset
        RETURNING number
        """
    )
    for kind, column in (
        (ResultKind.COMPLETIONS, "completions_read"),
        (ResultKind.REJECTIONS, "rejections_read"),
    )
}

STAGING = text(
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS batch_result (
        instruction_id uuid NOT NULL,
        transaction_reference text,
        reason text
    ) ON COMMIT DELETE ROWS
    """
)

# What is plain: a line of this batch without an end, by a reference that no other payment has. One
# by one by their keys, each behind an OFFSET that keeps it so: a planner that knows of a time when
# nothing was under way would hold all results against all that is, by an index that it takes for
# empty.
_MATCHED = """
    matched AS MATERIALIZED (
        SELECT line.id, line.place, result.transaction_reference, result.reason
        FROM (SELECT * FROM batch_result ORDER BY instruction_id) AS result
        CROSS JOIN LATERAL (
            SELECT instruction.id, ctid AS place, status, batch_number, provider_number
            FROM payments.instruction
            WHERE instruction.id = result.instruction_id
            OFFSET 0
            FOR NO KEY UPDATE OF instruction
        ) AS line
        WHERE line.batch_number = :number
          AND line.status = 'sending'
          AND NOT EXISTS (
              SELECT FROM payments.instruction AS other
              WHERE other.provider_number = line.provider_number
                AND other.transaction_reference = result.transaction_reference
                AND other.status = 'settled'
              OFFSET 0
          )
    ),
"""
_LEFT = """
    SELECT instruction_id FROM batch_result
    WHERE instruction_id NOT IN (SELECT id FROM moved)
"""

# What a batch that is open hears of a line that waits for it is read by the page. All else comes
# late: it says something new of a line that has an end, or that is not its any more. That another
# batch than a line's own did not pay it is not new.
LATE = text(
    f"""
    SELECT given.position
    FROM unnest(CAST(:ids AS uuid[]), CAST(:paid AS boolean[]), CAST(:references AS text[]))
        WITH ORDINALITY AS given (id, paid, transaction_reference, position)
    LEFT JOIN payments.instruction ON instruction.id = given.id
    LEFT JOIN payments.batch ON batch.number = instruction.batch_number
    WHERE instruction.id IS NULL
       OR given.paid
          AND NOT (instruction.status = 'sending' AND batch.id = :batch_id
              AND batch.status IN ({among(OPEN)}))
          AND NOT (instruction.status = 'settled' AND (given.transaction_reference IS NULL
              OR instruction.transaction_reference = given.transaction_reference))
       OR NOT given.paid AND batch.id = :batch_id
          AND (instruction.status NOT IN ('sending', 'rejected')
              OR instruction.status = 'sending' AND batch.status NOT IN ({among(OPEN)}))
       -- The database has lost that there was a batch, and knows that it may have.
       OR NOT given.paid AND batch.id IS NULL AND instruction.status = 'unknown'
    ORDER BY given.position
    """
)

PARTS = 10
"""Into how many: a line at fault among 10,000 is alone after four rounds of ten batches."""

# The money of the lines is in transit all the while: they go from batch to batch.
SPLIT = text(
    """
    WITH line AS MATERIALIZED (
        SELECT id, amount_minor, ntile(:parts) OVER (ORDER BY id) AS part
        FROM payments.instruction
        WHERE chunk_number = :chunk_number AND batch_number = :number AND status = 'sending'
    ),
    part AS MATERIALIZED (
        SELECT part, uuidv7() AS id, count(*) AS lines, sum(amount_minor) AS minor
        FROM line
        GROUP BY part
    ),
    made AS (
        INSERT INTO payments.batch (id, provider_number, chunk_number, line_count, total_minor,
            status, next_action_at, made_at)
        SELECT part.id, batch.provider_number, batch.chunk_number, part.lines, part.minor,
            'waiting', clock_timestamp(), :at
        FROM part CROSS JOIN payments.batch
        WHERE batch.number = :number
        RETURNING number, id
    )
    UPDATE payments.instruction
    SET batch_number = made.number
    FROM line JOIN part USING (part) JOIN made ON made.id = part.id
    WHERE instruction.id = line.id
    """
)


def make_batch(waits: Waits, *, by_commune: bool = False) -> TextClause:
    """Finds what is ready, makes a batch of it, and moves it; returns the batch's lines.

    ``by_commune``: all of its lines are of one commune.
    """
    return move_instructions(
        lease_seconds=waits.lease_seconds,
        unknown=waits.unknown,
        pending=waits.pending,
        before=_PICKED.format(of_a_commune=_OF_A_COMMUNE if by_commune else ""),
        given=moves_given(
            target="'sending'", source="picked CROSS JOIN made", batch_number="made.number"
        ),
        found_by=FOUND_BY_PLACE,
        returning=_ACCOUNT,
        result=_CLAIMED,
    )


def end_lines(waits: Waits) -> Mapping[ResultKind, TextClause]:
    """Move the lines that are plain among the staged results; return those that did not move."""
    return {
        kind: move_instructions(
            lease_seconds=waits.lease_seconds,
            unknown=waits.unknown,
            pending=waits.pending,
            before=_MATCHED,
            given=moves_given(
                target=f"'{target}'",
                source="matched",
                reason="reason",
                transaction_reference="transaction_reference",
            ),
            found_by=FOUND_BY_PLACE,
            result=_LEFT,
        )
        for kind, target in (
            (ResultKind.COMPLETIONS, Status.SETTLED),
            (ResultKind.REJECTIONS, Status.REJECTED),
        )
    }
