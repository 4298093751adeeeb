"""Chunks that wait to be worked, and what working them leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.statements import Totals
from services.registry.entitlements.states import ChunkStatus, EntitlementStatus
from services.registry.schemes.document import Exclusion

# Claimed and set up in one round trip. A chunk is small against the registry: walking the indexes
# is right whatever the statistics say, and keeps a household's cost the same at any size.
_CLAIM = text(
    """
    SELECT chunk.id, chunk.enrolment_run_id, chunk.activation_id, chunk.round, chunk.area_codes,
           chunk.first_round_chunk_id, activation.scheme_code, activation.scheme_version,
           set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true), set_config('enable_memoize', 'off', true)
    FROM registry.entitlement_chunk AS chunk
    JOIN registry.activation ON activation.id = chunk.activation_id
    WHERE chunk.status = 'planned'
      AND (chunk.attempt_after IS NULL OR chunk.attempt_after <= clock_timestamp())
    ORDER BY chunk.id
    LIMIT 1
    FOR UPDATE OF chunk SKIP LOCKED
    """
)

# The run is locked last, and until the commit: the worker that makes it whole completes it.
_FINISH = text(
    """
    WITH chunk AS (
        UPDATE registry.entitlement_chunk
        SET status = :status, announced_at = :announced_at,
            payable_count = :payable_count, payable_minor = :payable_minor,
            unpayable_count = :unpayable_count, unpayable_minor = :unpayable_minor,
            excluded_count = :excluded_count, attempts = 0, attempt_after = NULL, last_error = NULL
        WHERE id = :id
        RETURNING enrolment_run_id
    )
    UPDATE registry.enrolment_run AS run SET chunks_done = chunks_done + 1
    FROM chunk WHERE run.id = chunk.enrolment_run_id
    RETURNING run.chunks_done = run.chunks_planned
    """
)

_EXCLUDING = text(
    """
    SELECT DISTINCT activation.id
    FROM registry.activation
    JOIN registry.entitlement_chunk AS chunk ON chunk.activation_id = activation.id
    WHERE activation.scheme_code = :scheme AND chunk.announced_at >= :since
    """
)


@dataclass(frozen=True)
class Made:
    """Entitlements of one status that a chunk made."""

    count: int = 0
    minor: int = 0


MadeByStatus = Mapping[EntitlementStatus, Made]


async def claim_chunk(session: AsyncSession) -> Row[Any] | None:
    """A planned chunk, locked until the commit; None where no other waits."""
    claimed: Row[Any] | None = (await session.execute(_CLAIM)).one_or_none()
    return claimed


async def make(session: AsyncSession, statement: Totals, values: dict[str, Any]) -> MadeByStatus:
    """Run a chunk's statement; what it made."""
    rows = await session.execute(statement, values)
    return {
        EntitlementStatus(status): Made(count, int(minor)) for status, count, minor in rows.all()
    }


async def finish_chunk(
    session: AsyncSession, chunk_id: UUID, made: MadeByStatus, *, now: datetime
) -> bool:
    """Keep what the chunk made; whether it was its run's last."""
    payable = made.get(EntitlementStatus.READY, Made())
    unpayable = made.get(EntitlementStatus.UNPAYABLE, Made())
    status = ChunkStatus.ANNOUNCED if payable.count else ChunkStatus.EMPTY
    last: bool | None = await session.scalar(
        _FINISH,
        {
            "id": chunk_id,
            "status": status.value,
            "announced_at": now,
            "payable_count": payable.count,
            "payable_minor": payable.minor,
            "unpayable_count": unpayable.count,
            "unpayable_minor": unpayable.minor,
            "excluded_count": made.get(EntitlementStatus.EXCLUDED, Made()).count,
        },
    )
    return bool(last)


async def excluding_activations(
    session: AsyncSession, exclusion: Exclusion, *, since: datetime
) -> list[UUID]:
    """Activations of the excluding scheme that announced anything since then."""
    rows = await session.scalars(_EXCLUDING, {"scheme": exclusion.scheme, "since": since})
    return list(rows.all())
