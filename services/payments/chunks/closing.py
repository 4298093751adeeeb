"""Closing chunks: when none of its instructions is live any more, the registry is told."""

from sqlalchemy import text

from services.payments.database import EVENT_SOURCE
from services.payments.instructions.states import LIVE
from shared.clock import Clock
from shared.contracts.events import PaymentsSettled
from shared.database import Database
from shared.events import publish_all

_LIVE = ", ".join(f"'{status}'" for status in LIVE)
_NONE_LIVE = f"""
    NOT EXISTS (
        SELECT 1 FROM payments.instruction
        WHERE instruction.chunk_number = chunk.number AND instruction.status IN ({_LIVE})
    )
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

# Looked at once more under the lock: a correction may have come in between.
_CLOSE = text(
    f"""
    WITH closed AS (
        UPDATE payments.chunk SET status = 'settled', settled_at = :at
        WHERE number = ANY(:numbers) AND status = 'raised' AND {_NONE_LIVE}
        RETURNING number, chunk_id, round_number
    )
    SELECT closed.chunk_id, payment_round.activation_id, payment_round.scheme,
        payment_round.round, paid.count AS paid_count, paid.minor AS paid_minor,
        whole.count - paid.count AS failed_count, whole.minor - paid.minor AS failed_minor
    FROM closed
    JOIN payments.payment_round ON payment_round.number = closed.round_number
    -- Each entitlement has one first attempt, and one that is settled at most.
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction
        WHERE chunk_number = closed.number AND attempt = 1
    ) AS whole
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.instruction
        WHERE chunk_number = closed.number AND status = 'settled'
    ) AS paid
    """
)


class Closing:
    """Closes chunks in sets, each with its event."""

    def __init__(self, *, database: Database, clock: Clock, size: int = 50) -> None:
        self._database = database
        self._clock = clock
        self._size = size

    async def step(self) -> int:
        """Close what can be closed; returns how many chunks were."""
        async with self._database.transaction() as session:
            numbers = list((await session.execute(_LOCK, {"size": self._size})).scalars())
            if not numbers:
                return 0
            rows = (
                await session.execute(_CLOSE, {"numbers": numbers, "at": self._clock.now()})
            ).all()
            settled = [PaymentsSettled(**row._mapping) for row in rows]
            await publish_all(
                session,
                [
                    one.to_event(source=EVENT_SOURCE, subject=str(one.chunk_id), clock=self._clock)
                    for one in settled
                ],
            )
        return len(rows)
