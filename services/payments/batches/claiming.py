"""Making a batch: one statement finds its lines, moves them, books them, and names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.batches.repository import DueBatch
from services.payments.batches.statements import make_batch
from services.payments.batches.states import BatchStatus
from services.payments.dispatch.repository import (
    CLAIMS_SIDE_BY_SIDE,
    lock_claims,
    lock_claims_beside,
)
from services.payments.instructions.moves import Waits
from services.payments.providers.batches import BatchName, BatchOrder
from services.payments.providers.protocol import Order
from services.payments.statements import AnyRow
from shared.clock import Clock
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class MadeBatch:
    """A batch that may be sent, with everything that its request needs."""

    batch: DueBatch
    order: BatchOrder


class BatchClaims:
    """Makes batches of what is ready."""

    def __init__(self, *, clock: Clock, waits: Waits, by_commune: bool = False) -> None:
        self._clock = clock
        self._statement = make_batch(waits, by_commune=by_commune)

    async def make(
        self,
        session: AsyncSession,
        *,
        provider: str,
        provider_number: int,
        size: int,
        most_minor: int | None,
        most_open: int,
        lease_seconds: float,
        actor: str,
        beside: bool = False,
    ) -> MadeBatch | None:
        """Make a batch of ready lines of one chunk, no more than the provider's float covers.

        Where it is made by commune, its lines are of one commune as well.
        Its sum is ``most_minor`` at most, unless it is of one payment.

        None: nothing is ready, or as many batches are open at the provider as may be, or another
        is making one. Once the session's transaction is committed it may be sent.

        ``beside``: others may make theirs at the same time, of other chunks; None as well where
        places or the float are not ample for all of them. Raises IntegrityError where together
        they would have overdrawn it.
        """
        if not await (lock_claims_beside if beside else lock_claims)(session, provider_number):
            return None
        # None of them sees what the others are making.
        unseen = CLAIMS_SIDE_BY_SIDE - 1 if beside else 0
        batch_id = new_id()
        rows = (
            await session.execute(
                self._statement,
                {
                    "provider": provider,
                    "provider_number": provider_number,
                    "size": size,
                    "most_minor": most_minor,
                    "most_open": most_open - unseen,
                    "beside": beside,
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
    """A batch's order from its lines' rows, each of which begins with: id, household_id,
    amount_minor, account_sealed."""
    # A scheme has a few amounts, whatever number of households.
    money = cache(partial(Money, currency=currency))
    return BatchOrder(
        batch_id=batch_id,
        currency=currency,
        lines=[Order(row[0], row[1], money(row[2]), row[3]) for row in rows],
    )
