"""SQL of settlement: which chunks have come to rest, what they add up to, how each row ended."""

import io
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import LIVE
from services.payments.statements import among
from shared.contracts.events import PaymentsCounted, PaymentsProgressed, PaymentsSettled
from shared.database import driver_connection

# What was set aside for another chunk's instruction waits for that. Each chunk is looked at by
# itself, up to its first live payment: the OFFSET keeps it so.
_NONE_LIVE = f"""
    NOT EXISTS (
        SELECT 1 FROM payments.instruction
        WHERE instruction.chunk_number = chunk.number AND instruction.status IN ({among(LIVE)})
        OFFSET 0
    )
    AND (chunk.set_aside_count = 0 OR NOT EXISTS (
        SELECT 1
        FROM payments.set_aside
        JOIN payments.instruction ON instruction.entitlement_id = set_aside.entitlement_id
            AND instruction.chunk_number = set_aside.answered_in
        WHERE set_aside.chunk_number = chunk.number AND instruction.status IN ({among(LIVE)})
    ))
"""

# Each entitlement of a chunk has one first attempt there, and one that is settled at most; or it
# was set aside, for good or for the end of another chunk's instruction.
_ENDS = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction
        WHERE chunk_number = chunk.number AND attempt = 1
    ) AS whole
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction
        WHERE chunk_number = chunk.number AND status = 'settled'
    ) AS paid
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE answered_in IS NULL) AS unpayable_count,
            coalesce(sum(amount_minor) FILTER (WHERE answered_in IS NULL), 0)::bigint
                AS unpayable_minor,
            count(*) FILTER (WHERE answered_in IS NOT NULL) AS count,
            coalesce(sum(amount_minor) FILTER (WHERE answered_in IS NOT NULL), 0)::bigint AS minor,
            count(*) FILTER (WHERE is_paid) AS paid_count,
            coalesce(sum(amount_minor) FILTER (WHERE is_paid), 0)::bigint AS paid_minor
        FROM (
            SELECT set_aside.amount_minor, set_aside.answered_in,
                EXISTS (
                    SELECT FROM payments.instruction
                    WHERE instruction.entitlement_id = set_aside.entitlement_id
                      AND instruction.chunk_number = set_aside.answered_in
                      AND instruction.status = 'settled'
                ) AS is_paid
            FROM payments.set_aside
            WHERE set_aside.chunk_number = chunk.number AND chunk.set_aside_count > 0
        ) AS answered
    ) AS aside
"""

_LOCK = text(
    f"""
    SELECT chunk.number
    FROM payments.chunk
    WHERE chunk.status = 'raised' AND {_NONE_LIVE}
    ORDER BY chunk.number
    LIMIT :size
    FOR UPDATE SKIP LOCKED
    """
)

# Looked at once more, by whoever holds the lock: a correction may have come in between.
_SUMS = text(
    f"""
    SELECT chunk.number, chunk.chunk_id, payment_round.activation_id, payment_round.scheme,
        payment_round.round, aside.unpayable_count, aside.unpayable_minor,
        paid.count + aside.paid_count AS paid_count, paid.minor + aside.paid_minor AS paid_minor,
        whole.count - paid.count + aside.count - aside.paid_count AS failed_count,
        whole.minor - paid.minor + aside.minor - aside.paid_minor AS failed_minor
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    {_ENDS}
    WHERE chunk.number = ANY(:numbers) AND {_NONE_LIVE}
    ORDER BY chunk.number
    """
)

_LOCK_OPEN = text(
    """
    SELECT chunk.number, chunk.progress_at IS NULL AS is_new
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE chunk.status = 'raised'
      AND payment_round.status = 'released'
      AND coalesce(chunk.progress_at <= clock_timestamp(), true)
    ORDER BY chunk.progress_at NULLS FIRST, chunk.number
    LIMIT :size
    FOR NO KEY UPDATE OF chunk SKIP LOCKED
    """
)

# As the outcomes tell it. What is being sent just now has its end in a moment: that is not told.
_PROGRESS = text(
    f"""
    WITH entitlement AS (
        SELECT chunk_number AS number, amount_minor,
            bool_or(status = 'settled') AS is_paid,
            bool_or(status IN ({among(LIVE)})) AS is_live,
            min(sent_at) FILTER (WHERE status IN ({among(LIVE)})) AS live_since,
            max(sent_at) AS sent_at
        FROM payments.instruction
        WHERE chunk_number = ANY(:numbers)
        GROUP BY chunk_number, entitlement_id, amount_minor
        UNION ALL
        SELECT set_aside.chunk_number, set_aside.amount_minor,
            bool_or(status = 'settled'), bool_or(status IN ({among(LIVE)})),
            min(sent_at) FILTER (WHERE status IN ({among(LIVE)})), max(sent_at)
        FROM payments.set_aside
        JOIN payments.instruction ON instruction.entitlement_id = set_aside.entitlement_id
            AND instruction.chunk_number = set_aside.answered_in
        WHERE set_aside.chunk_number = ANY(:numbers)
        GROUP BY set_aside.chunk_number, set_aside.entitlement_id, set_aside.amount_minor
    ),
    told AS (
        SELECT number,
            count(*) FILTER (WHERE is_live AND NOT is_paid) AS open_count,
            count(*) FILTER (WHERE is_paid) AS paid_count,
            coalesce(sum(amount_minor) FILTER (WHERE is_paid), 0)::bigint AS paid_minor,
            count(*) FILTER (WHERE NOT is_live AND NOT is_paid) AS failed_count,
            coalesce(sum(amount_minor) FILTER (WHERE NOT is_live AND NOT is_paid), 0)::bigint
                AS failed_minor,
            least(min(live_since), coalesce(max(sent_at), '-infinity'))
                <= clock_timestamp() - make_interval(secs => :seconds) AS is_slow
        FROM entitlement
        GROUP BY number
    )
    SELECT chunk.number, chunk.chunk_id, payment_round.activation_id, payment_round.scheme,
        payment_round.round, told.open_count, told.paid_count, told.paid_minor,
        told.failed_count, told.failed_minor,
        coalesce(aside.count, 0) AS unpayable_count, coalesce(aside.minor, 0) AS unpayable_minor
    FROM told
    JOIN payments.chunk ON chunk.number = told.number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    LEFT JOIN (
        SELECT chunk_number AS number, count(*) AS count, sum(amount_minor)::bigint AS minor
        FROM payments.set_aside
        WHERE answered_in IS NULL AND chunk_number = ANY(:numbers)
        GROUP BY chunk_number
    ) AS aside ON aside.number = told.number
    WHERE told.open_count > 0
      AND told.is_slow
      AND (told.paid_count, told.failed_count) <> (chunk.progress_paid, chunk.progress_failed)
    ORDER BY chunk.number
    """
)

_LOOK_LATER = text(
    """
    UPDATE payments.chunk
    SET progress_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE number = ANY(:numbers)
    """
)

_KEEP_TOLD = text(
    """
    UPDATE payments.chunk SET progress_paid = told.paid, progress_failed = told.failed
    FROM unnest(
        CAST(:numbers AS integer[]), CAST(:paid AS integer[]), CAST(:failed AS integer[])
    ) AS told (number, paid, failed)
    WHERE chunk.number = told.number
    """
)

# Every entitlement of a chunk that was not set aside has one instruction that is live or settled,
# or else has failed; few have a held one besides, and count as open.
_COUNTED = text(
    f"""
    SELECT chunk.chunk_id, payment_round.activation_id, payment_round.scheme, payment_round.round,
        clock_timestamp() AS counted_at, live.count AS open_count,
        paid.count AS paid_count, paid.minor AS paid_minor,
        greatest(
            0, chunk.entitlement_count - chunk.set_aside_count - paid.count - live.count
        ) AS failed_count,
        greatest(
            0, chunk.total_minor - chunk.set_aside_minor - paid.minor - live.minor
        ) AS failed_minor
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(count), 0)::bigint AS count,
            coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction_count
        WHERE chunk_number = chunk.number AND status = 'settled'
    ) AS paid
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(count), 0)::bigint AS count,
            coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction_count
        WHERE chunk_number = chunk.number AND status IN ({among(LIVE)})
    ) AS live
    WHERE chunk.number = ANY(:numbers) AND chunk.status = 'raised'
      -- That all have their end is told in a moment by whoever closes it.
      AND live.count > 0
    ORDER BY chunk.number
    """
)

# Of several attempts for an entitlement the one that paid it counts, then one without an end (which
# is left out), then the last.
_LATEST = f"""
    (status = 'settled') DESC, (status IN ({among(LIVE)})) DESC, announcement DESC, attempt DESC
"""

_OUTCOMES = f"""
    WITH latest AS (
        SELECT DISTINCT ON (entitlement_id) entitlement_id, status, reason, finished_at
        FROM payments.instruction
        WHERE chunk_number = $1
        ORDER BY entitlement_id, {_LATEST}
    ),
    elsewhere AS (
        SELECT latest.*
        FROM payments.set_aside
        CROSS JOIN LATERAL (
            SELECT entitlement_id, status, reason, finished_at
            FROM payments.instruction
            WHERE instruction.entitlement_id = set_aside.entitlement_id
              AND instruction.chunk_number = set_aside.answered_in
            ORDER BY {_LATEST}
            LIMIT 1
        ) AS latest
        WHERE set_aside.chunk_number = $1
    ),
    outcome AS (
        SELECT entitlement_id,
            CASE status WHEN 'settled' THEN 'paid' ELSE 'failed' END AS outcome,
            CASE status WHEN 'settled' THEN '' ELSE coalesce(reason, status::text) END AS reason,
            finished_at
        FROM (SELECT * FROM latest UNION ALL SELECT * FROM elsewhere) AS ended
        WHERE status IN ('settled', 'rejected', 'returned', 'cancelled')
        UNION ALL
        SELECT entitlement_id, 'unpayable', reason::text, set_aside_at
        FROM payments.set_aside
        WHERE chunk_number = $1 AND answered_in IS NULL
    )
    SELECT entitlement_id, outcome, reason,
        to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM outcome
"""


async def lock_settled(session: AsyncSession, *, size: int) -> list[int]:
    """Lock raised chunks none of whose instructions is live; their numbers."""
    return list((await session.execute(_LOCK, {"size": size})).scalars())


async def settled_by_number(
    session: AsyncSession, numbers: Sequence[int]
) -> dict[int, PaymentsSettled]:
    """How the payments of locked chunks ended, without chunks that are live after all."""
    rows = await session.execute(_SUMS, {"numbers": list(numbers)})
    return {row.number: PaymentsSettled.model_validate(row._asdict()) for row in rows}


async def lock_open(session: AsyncSession, *, size: int) -> dict[int, bool]:
    """Lock chunks of released rounds that were not looked at for a while: by their numbers, whether
    they never were."""
    rows = await session.execute(_LOCK_OPEN, {"size": size})
    return {row.number: row.is_new for row in rows}


async def progressed_by_number(
    session: AsyncSession, numbers: Sequence[int], *, seconds: float
) -> dict[int, PaymentsProgressed]:
    """What is new of locked chunks since it was told last, where some payment takes long."""
    rows = await session.execute(_PROGRESS, {"numbers": list(numbers), "seconds": seconds})
    return {row.number: PaymentsProgressed.model_validate(row._asdict()) for row in rows}


async def counted_of(session: AsyncSession, numbers: Sequence[int]) -> list[PaymentsCounted]:
    """How many payments of open chunks have ended, by the counts."""
    rows = await session.execute(_COUNTED, {"numbers": list(numbers)})
    return [PaymentsCounted.model_validate(row._asdict()) for row in rows]


async def keep_told(
    session: AsyncSession,
    numbers: Sequence[int],
    told: Mapping[int, PaymentsProgressed],
    *,
    seconds: float,
) -> None:
    """Look at locked chunks again after so long, and keep what was told of some of them."""
    await session.execute(_LOOK_LATER, {"numbers": list(numbers), "seconds": seconds})
    if told:
        await session.execute(
            _KEEP_TOLD,
            {
                "numbers": list(told),
                "paid": [progressed.paid_count for progressed in told.values()],
                "failed": [progressed.failed_count for progressed in told.values()],
            },
        )


async def read_outcomes(session: AsyncSession, chunk_number: int) -> bytes:
    """The rows of ``shared.contracts.outcomes``; a chunk is small enough to be held."""
    content = io.BytesIO()
    connection = await driver_connection(session)
    await connection.copy_from_query(_OUTCOMES, chunk_number, output=content, format="csv")
    return content.getvalue()
