"""What was refused whole for one of its lines is tried again in parts, until the line is alone."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.batches.repository import DueBatch

PARTS = 10
"""Into how many: a line at fault among 10,000 is alone after four rounds of ten batches."""

# The money of the lines is in transit all the while: they go from batch to batch.
_SPLIT = text(
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


async def split(session: AsyncSession, batch: DueBatch, *, at: datetime) -> None:
    """Have a refused batch's locked lines sent by several smaller ones."""
    given = {"number": batch.number, "chunk_number": batch.chunk_number, "parts": PARTS, "at": at}
    await session.execute(_SPLIT, given)
