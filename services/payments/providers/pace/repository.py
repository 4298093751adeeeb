"""SQL of the pace of providers: requests that may leave, places, and rests, for all workers.

Whoever takes locks the provider's row of ``provider_allowance`` first, so shares are summed by one
at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_OPEN = text(
    """
    INSERT INTO payments.provider_allowance (provider_number) VALUES (:provider_number)
    ON CONFLICT (provider_number) DO NOTHING
    """
)


def _available(row: str) -> str:
    """The tokens of a row at the moment, those that are given back among them."""
    return (
        f"least(:burst, {row}.tokens + :returned + :per_second "
        f"* greatest(extract(epoch FROM moment.now - {row}.filled_at), 0)::float)"
    )


# The moment is from before the lock: who waited for it counts too little time, never too much.
_TAKE_TOKENS = text(
    f"""
    WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS now)
    UPDATE payments.provider_allowance AS allowance
    SET tokens = {_available("allowance")}
            - least(:wanted, floor({_available("allowance")})),
        filled_at = greatest(allowance.filled_at, moment.now)
    FROM moment
    WHERE allowance.provider_number = :provider_number
    RETURNING least(:wanted, floor({_available("old")}))::integer AS tokens,
        1 - new.tokens AS missing
    """
)

# A fair part where others want places too, rounded up: what is left over goes to who asks first.
# What is under way stays, whatever its fair part is. A share that has lapsed is nobody's.
_TAKE_PLACES = text(
    """
    WITH lapsed AS (
        DELETE FROM payments.provider_share
        WHERE provider_number = :provider_number AND ends_at <= clock_timestamp()
    ),
    others AS (
        SELECT coalesce(sum(places), 0)::integer AS places,
            count(*) FILTER (WHERE wanted > 0)::integer AS wanting
        FROM payments.provider_share
        WHERE provider_number = :provider_number AND worker_id <> :worker_id
          AND ends_at > clock_timestamp()
    ),
    part AS (
        SELECT greatest(
                least(
                    CAST(:wanted AS integer),
                    :at_once - places,
                    (:at_once + wanting) / (wanting + 1)
                ),
                0
            ) AS places
        FROM others
    )
    INSERT INTO payments.provider_share AS share (provider_number, worker_id, places, wanted,
        ends_at)
    SELECT :provider_number, :worker_id, greatest(part.places, :under_way), :wanted,
        clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM part
    ON CONFLICT (provider_number, worker_id) DO UPDATE SET
        places = excluded.places, wanted = excluded.wanted, ends_at = excluded.ends_at
    RETURNING (SELECT places FROM part) AS part, share.places AS held
    """
)

_LEAVE = text(
    """
    DELETE FROM payments.provider_share
    WHERE provider_number = :provider_number AND worker_id = :worker_id
    """
)

_REST = text(
    """
    INSERT INTO payments.provider_allowance AS allowance (provider_number, rests_until, rest_reason)
    SELECT provider_number, clock_timestamp() + make_interval(secs => seconds), reason
    FROM unnest(CAST(:provider_numbers AS smallint[]), CAST(:seconds AS float[]),
            CAST(:reasons AS text[])) AS told (provider_number, seconds, reason)
    ORDER BY provider_number
    ON CONFLICT (provider_number) DO UPDATE SET
        rests_until = excluded.rests_until, rest_reason = excluded.rest_reason
    WHERE coalesce(allowance.rests_until, '-infinity') < excluded.rests_until
    """
)

_RESTING = text(
    """
    SELECT provider_number,
        extract(epoch FROM rests_until - clock_timestamp())::float AS seconds
    FROM payments.provider_allowance
    WHERE rests_until > clock_timestamp()
    """
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Requests that may leave now, and how many are missing until one more may."""

    count: int
    missing: float


@dataclass(frozen=True, slots=True)
class Places:
    """How many requests this worker may have under way, and how many are kept for it."""

    part: int
    held: int
    """More than its part while more are under way than that."""


async def take_tokens(
    session: AsyncSession,
    *,
    provider_number: int,
    wanted: int,
    returned: int,
    per_second: float,
    burst: float,
) -> Tokens:
    """Lock the provider's allowance and take of it, after ``returned`` unused ones came back."""
    given = {
        "provider_number": provider_number,
        "wanted": wanted,
        "returned": returned,
        "per_second": per_second,
        "burst": burst,
    }
    row = (await session.execute(_TAKE_TOKENS, given)).one_or_none()
    if row is None:
        await session.execute(_OPEN, {"provider_number": provider_number})
        row = (await session.execute(_TAKE_TOKENS, given)).one()
    return Tokens(count=row.tokens, missing=float(row.missing))


async def take_places(
    session: AsyncSession,
    *,
    provider_number: int,
    worker_id: UUID,
    wanted: int,
    under_way: int,
    at_once: int,
    lease_seconds: float,
) -> Places:
    """A worker's part of the places, under a lease; the provider's allowance is locked."""
    row = (
        await session.execute(
            _TAKE_PLACES,
            {
                "provider_number": provider_number,
                "worker_id": worker_id,
                "wanted": wanted,
                "under_way": under_way,
                "at_once": at_once,
                "lease_seconds": lease_seconds,
            },
        )
    ).one()
    return Places(part=row.part, held=row.held)


async def leave(session: AsyncSession, *, provider_number: int, worker_id: UUID) -> None:
    """Give all places of a worker back."""
    await session.execute(_LEAVE, {"provider_number": provider_number, "worker_id": worker_id})


async def rest(session: AsyncSession, told: Sequence[tuple[int, float, str]]) -> None:
    """Keep for how many seconds providers asked to be left alone, and by which code; a rest that
    is kept already and ends later stays."""
    await session.execute(
        _REST,
        {
            "provider_numbers": [number for number, _, _ in told],
            "seconds": [seconds for _, seconds, _ in told],
            "reasons": [reason for _, _, reason in told],
        },
    )


async def resting(session: AsyncSession) -> dict[int, float]:
    """For how many more seconds providers are left alone, by their numbers."""
    rows = await session.execute(_RESTING)
    return {row.provider_number: row.seconds for row in rows}
