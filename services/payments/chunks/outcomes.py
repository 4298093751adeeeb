"""A chunk's outcomes as CSV, by COPY."""

import io

from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import driver_connection

# Of several attempts for an entitlement the last one counts; one without an end is left out.
_OUTCOMES = """
    SELECT entitlement_id,
        CASE status WHEN 'settled' THEN 'paid' ELSE 'failed' END,
        CASE status WHEN 'settled' THEN '' ELSE coalesce(reason, status::text) END,
        to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM (
        SELECT DISTINCT ON (entitlement_id) entitlement_id, status, reason, finished_at
        FROM payments.instruction
        WHERE chunk_number = $1
        ORDER BY entitlement_id, (status = 'settled') DESC, attempt DESC
    ) AS latest
    WHERE status IN ('settled', 'rejected', 'returned', 'cancelled')
"""


async def read_outcomes(session: AsyncSession, chunk_number: int) -> bytes:
    """The rows of ``shared.contracts.outcomes``; a chunk is small enough to be held."""
    content = io.BytesIO()
    connection = await driver_connection(session)
    await connection.copy_from_query(_OUTCOMES, chunk_number, output=content, format="csv")
    return content.getvalue()
