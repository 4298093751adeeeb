"""SQL of approving a batch that a provider has: not where its activation was cancelled."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# When an approval may have left last is when a request may have: ``sent_at``.
_NOTE_APPROVAL = text(
    """
    UPDATE payments.batch SET sent_at = clock_timestamp()
    WHERE number = :number AND moves = :position AND status = 'approving'
      AND NOT EXISTS (
          SELECT FROM payments.chunk
          JOIN payments.payment_round ON payment_round.number = chunk.round_number
          JOIN payments.cancelled_activation USING (activation_id)
          WHERE chunk.number = batch.chunk_number
      )
    RETURNING number
    """
)


async def note_approval(session: AsyncSession, number: int, *, position: int) -> bool:
    """Note that an approval is about to leave; False: it is not to, since the activation was
    cancelled, or somebody else was faster."""
    given = {"number": number, "position": position}
    return await session.scalar(_NOTE_APPROVAL, given) is not None
