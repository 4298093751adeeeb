"""SQL of making a batch: one statement finds its lines, moves them, books them, and names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.batches.repository import DueBatch
from services.payments.batches.states import OPEN, BatchStatus
from services.payments.dispatch.repository import (
    COVERED_BY_FLOAT,
    NOT_CANCELLED,
    PERHAPS_PAID,
    lock_claims,
)
from services.payments.instructions.moves import Waits
from services.payments.instructions.statements import move_instructions, moves_given
from services.payments.providers.batches import BatchName, BatchOrder
from services.payments.providers.protocol import Order
from services.payments.statements import AnyRow, among
from shared.clock import Clock
from shared.ids import new_id
from shared.money import Money

# The oldest chunk that has something ready at the provider: a batch is of one chunk.
_PICKED = f"""
    open AS MATERIALIZED (
        SELECT chunk.number, chunk.currency
        FROM payments.chunk
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        WHERE chunk.status = 'raised' AND payment_round.status = 'released'
          AND chunk.epoch = (SELECT events.current_epoch()) AND {NOT_CANCELLED}
          AND EXISTS (
              SELECT FROM payments.instruction
              WHERE chunk_number = chunk.number AND status = 'ready'
                AND provider_number = :provider_number
                AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
          )
          AND (
              SELECT count(*) FROM payments.batch
              WHERE provider_number = :provider_number AND status IN ({among(OPEN)})
          ) < :most_open
        ORDER BY chunk.number
        LIMIT 1
    ),
    candidate AS MATERIALIZED (
        SELECT id, amount_minor
        FROM open
        CROSS JOIN LATERAL (
            SELECT id, amount_minor
            FROM payments.instruction
            WHERE chunk_number = open.number
              AND status = 'ready'
              AND provider_number = :provider_number
              AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
              AND NOT {PERHAPS_PAID}
            LIMIT :size
        ) AS ready
    ),
    covered AS MATERIALIZED ({COVERED_BY_FLOAT}),
    picked AS MATERIALIZED (
        SELECT instruction.id, household_id, instruction.amount_minor, account_sealed
        FROM covered
        JOIN payments.instruction ON instruction.id = covered.id
        WHERE instruction.status = 'ready'
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


@dataclass(frozen=True, slots=True)
class MadeBatch:
    """A batch that may be sent, with everything that its request needs."""

    batch: DueBatch
    order: BatchOrder


class BatchClaims:
    """Makes batches of what is ready."""

    def __init__(self, *, clock: Clock, waits: Waits) -> None:
        self._clock = clock
        self._statement: TextClause = move_instructions(
            lease_seconds=waits.lease_seconds,
            unknown=waits.unknown,
            pending=waits.pending,
            before=_PICKED,
            given=moves_given(
                target="'sending'", source="picked CROSS JOIN made", batch_number="made.number"
            ),
            result="""
            SELECT made.number, open.number AS chunk_number, open.currency, picked.id,
                picked.household_id, picked.amount_minor, picked.account_sealed
            FROM moved JOIN picked USING (id) CROSS JOIN made CROSS JOIN open
            ORDER BY picked.id
            """,
        )

    async def make(
        self,
        session: AsyncSession,
        *,
        provider: str,
        provider_number: int,
        size: int,
        most_open: int,
        lease_seconds: float,
        actor: str,
    ) -> MadeBatch | None:
        """Make a batch of ready lines of one chunk, no more than the provider's float covers.

        None: nothing is ready, or as many batches are open at the provider as may be, or another
        worker is making one. Once the session's transaction is committed it may be sent.
        """
        if not await lock_claims(session, provider_number):
            return None
        batch_id = new_id()
        rows = (
            await session.execute(
                self._statement,
                {
                    "provider": provider,
                    "provider_number": provider_number,
                    "size": size,
                    "most_open": most_open,
                    "batch_id": batch_id,
                    "batch_lease_seconds": lease_seconds,
                    "actor": actor,
                    "at": self._clock.now(),
                },
            )
        ).all()
        if not rows:
            return None
        first = rows[0]
        batch = DueBatch(
            number=first.number,
            name=BatchName(batch_id),
            status=BatchStatus.SENDING,
            position=0,
            chunk_number=first.chunk_number,
            line_count=len(rows),
            completions_read=0,
            rejections_read=0,
            readings=0,
            inquiries=0,
            age_seconds=0,
            sent_age_seconds=0,
            sent_before=False,
        )
        return MadeBatch(batch, order_of(batch_id, first.currency, rows))


def order_of(batch_id: UUID, currency: str, rows: Sequence[AnyRow]) -> BatchOrder:
    """A batch's order from its lines' rows: id, household_id, amount_minor, account_sealed."""
    return BatchOrder(
        batch_id=batch_id,
        currency=currency,
        lines=[
            Order(
                instruction_id=row.id,
                household_id=row.household_id,
                money=Money(row.amount_minor, currency),
                account_sealed=row.account_sealed,
            )
            for row in rows
        ],
    )
