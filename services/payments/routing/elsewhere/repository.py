"""SQL of what may have gone by another provider before commits were lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import MAY_BE_ELSEWHERE

# Lost commits may have had it go by another provider. What was ever claimed was never rerouted
# after, so only what was not is asked about elsewhere; and not before whoever did not hear of the
# failover has let its last request leave, and "not known" is true.
_OF_AN_EARLIER_EPOCH = """
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
    WHERE chunk.status = 'raised' AND payment_round.status = 'released'
      AND chunk.epoch < (SELECT events.current_epoch())
      AND instruction.status = 'ready'
      AND instruction.provider_number = :provider_number
      AND instruction.moves = 0
      AND NOT EXISTS (
          SELECT FROM payments.asked_elsewhere AS asked
          WHERE asked.instruction_id = instruction.id
            AND asked.epoch = (SELECT events.current_epoch())
      )
"""

# Two persons see why it waits, and do not cancel it meanwhile.
_TELL_WHY = text(
    f"""
    UPDATE payments.instruction SET reason = '{MAY_BE_ELSEWHERE}'
    WHERE id IN (
        SELECT instruction.id {_OF_AN_EARLIER_EPOCH} AND instruction.reason IS NULL
        ORDER BY instruction.id
        LIMIT :size
    ) AND status = 'ready' AND moves = 0
    """
)

_PERHAPS_ELSEWHERE = text(
    f"""
    SELECT instruction.id, extract(epoch FROM clock_timestamp() - chunk.told_at)::float AS seconds
    {_OF_AN_EARLIER_EPOCH}
      AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
      AND clock_timestamp() >= (
          SELECT begun_at FROM events.epoch WHERE number = (SELECT events.current_epoch())
      ) + make_interval(secs => :trusted_after_seconds)
    ORDER BY instruction.id
    LIMIT :size
    """
)

_KEEP_ASKED = text(
    """
    WITH told AS (
        SELECT id, nullif(found_at, 0) AS found_at, is_certain
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:found_at AS smallint[]), CAST(:certain AS boolean[])
        ) AS given (id, found_at, is_certain)
    ),
    locked AS (
        SELECT instruction.id, instruction.provider_number AS from_number, told.found_at,
            told.is_certain
        FROM told
        JOIN payments.instruction USING (id)
        WHERE instruction.status = 'ready' AND instruction.provider_number = :provider_number
          AND instruction.moves = 0
        ORDER BY instruction.id
        FOR NO KEY UPDATE OF instruction
    ),
    moved AS (
        UPDATE payments.instruction
        SET provider_number = coalesce(locked.found_at, provider_number),
            reason = NULL, next_action_at = NULL
        FROM locked WHERE instruction.id = locked.id
    ),
    recorded AS (
        INSERT INTO payments.rerouting (instruction_id, from_provider_number, to_provider_number,
            cause, rerouted_at)
        SELECT id, from_number, found_at, 'found_there', :at FROM locked WHERE found_at IS NOT NULL
        ON CONFLICT DO NOTHING
    )
    INSERT INTO payments.asked_elsewhere AS asked (instruction_id, epoch, is_certain)
    SELECT id, events.current_epoch(), is_certain FROM locked
    ON CONFLICT (instruction_id) DO UPDATE SET epoch = excluded.epoch,
        is_certain = excluded.is_certain, asked_at = clock_timestamp()
    RETURNING 1
    """
)

_PUT_OFF = text(
    """
    UPDATE payments.instruction
    SET next_action_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'ready' AND moves = 0
    """
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the others of a group said of a payment."""

    found_at: int | None
    """The number of the provider that knows it; None: none of them does."""
    is_certain: bool
    """Whether each would still know it."""


async def tell_why(session: AsyncSession, *, provider_number: int, size: int) -> None:
    """Give what may have gone by another provider the reason for which it waits."""
    await session.execute(_TELL_WHY, {"provider_number": provider_number, "size": size})


async def pick_perhaps_elsewhere(
    session: AsyncSession, *, provider_number: int, trusted_after_seconds: float, size: int
) -> dict[UUID, float]:
    """What may have gone by another provider before commits were lost, and was not asked about;
    with each, for how many seconds it may have been there."""
    given = {
        "provider_number": provider_number,
        "trusted_after_seconds": trusted_after_seconds,
        "size": size,
    }
    return {row.id: row.seconds for row in await session.execute(_PERHAPS_ELSEWHERE, given)}


async def keep_asked(
    session: AsyncSession,
    heard: Mapping[UUID, Elsewhere],
    *,
    provider_number: int,
    at: datetime,
) -> int:
    """Keep what the others said of payments; how many of them that concerned."""
    given = {
        "ids": list(heard),
        "found_at": [said.found_at or 0 for said in heard.values()],
        "certain": [said.is_certain for said in heard.values()],
        "provider_number": provider_number,
        "at": at,
    }
    return len((await session.execute(_KEEP_ASKED, given)).all())


async def put_off(session: AsyncSession, ids: Sequence[UUID], *, seconds: float) -> None:
    """Ask about these again later."""
    await session.execute(_PUT_OFF, {"ids": list(ids), "seconds": seconds})
