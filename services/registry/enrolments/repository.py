"""What a chunk makes and adds up to, and whom other schemes keep out of it, in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.statements import Totals
from services.registry.enrolments.states import LEGAL_MOVES, EntitlementStatus, side_by_side
from services.registry.enrolments.tables import HouseholdExclusion
from services.registry.schemes.document import Exclusion

_EXCLUDING = text(
    """
    SELECT DISTINCT activation.id
    FROM registry.activation
    JOIN registry.entitlement_chunk AS chunk ON chunk.activation_id = activation.id
    WHERE activation.scheme_code = :scheme AND chunk.announced_at >= :since
    """
)

# Its time begins when it opened, and ends with its last round, or when it was cancelled.
_OVERLAPPING = text(
    """
    SELECT activation.id, activation.cancelled_on IS NOT NULL AS is_cancelled
    FROM registry.activation
    WHERE activation.scheme_code = :scheme AND activation.scheme_version IS NOT NULL
      AND activation.id IS DISTINCT FROM CAST(:but AS uuid) AND activation.opened_on <= :on
      AND coalesce(activation.cancelled_on, (
          SELECT max(due_on) FROM registry.payment_round AS round
          WHERE round.activation_id = activation.id)) >= :on
    ORDER BY activation.id
    """
)

# Chunks of one activation go side by side; as soon as there is another that may take the same
# households, one after the other.
_SIDE_BY_SIDE = text(
    "SELECT pg_advisory_xact_lock_shared(hashtext(:scheme), CAST(:province AS integer))"
)
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtext(:scheme), CAST(:province AS integer))")

_STATES = {
    "payable": "('ready', 'paid', 'failed', 'refused')",
    "unpayable": "('unpayable')",
    "paid": "('paid')",
    "failed": "('failed')",
    "refused": "('refused')",
}
"""Of the columns of a chunk, and the states that each counts."""

_SUMS = ",".join(
    f"""
        count(*) FILTER (WHERE counted.status IN {states}) AS {name}_count,
        coalesce(sum(entitlement.amount_minor) FILTER (WHERE counted.status IN {states}), 0)::bigint
            AS {name}_minor"""
    for name, states in _STATES.items()
)
_COUNTED = f"""
    SELECT {_SUMS},
        min(counted.finished_at) FILTER (WHERE counted.status = 'paid') AS first_paid_at,
        max(counted.finished_at) FILTER (WHERE counted.status = 'paid') AS last_paid_at
"""
_SUMS_OF_HOME = text(
    f"""
    {_COUNTED}
    FROM registry.entitlement
    CROSS JOIN LATERAL (SELECT entitlement.status, entitlement.finished_at) AS counted
    WHERE entitlement.chunk_id = :chunk_id
    """
)
_SUMS_OF_REPAIR = text(
    f"""
    {_COUNTED}
    FROM registry.announcement AS counted
    JOIN registry.entitlement ON entitlement.id = counted.entitlement_id
    WHERE counted.chunk_id = :chunk_id
    """
)

# What was announced more than once has its announcements; of all others the entitlement says it.
_WITHOUT_END = text(
    """
    SELECT
        (SELECT count(*) FROM registry.announcement
         WHERE chunk_id = :chunk_id AND status = 'ready')
      + (SELECT count(*) FROM registry.entitlement
         WHERE chunk_id = :chunk_id AND status = 'ready' AND NOT EXISTS (
             SELECT FROM registry.announcement WHERE entitlement_id = entitlement.id))
    """
)


_RESTATE = text(
    """
    UPDATE registry.entitlement
    SET status = standing.status, reason = standing.reason, finished_at = standing.finished_at
    FROM (
        SELECT DISTINCT ON (announcement.entitlement_id) announcement.*
        FROM registry.announcement AS here
        JOIN registry.announcement ON announcement.entitlement_id = here.entitlement_id
        WHERE here.chunk_id = :chunk_id
        ORDER BY announcement.entitlement_id, announcement.status = 'paid' DESC,
                 announcement.number DESC
    ) AS standing
    WHERE entitlement.id = standing.entitlement_id
      AND (entitlement.status, standing.status) IN (
          SELECT * FROM unnest(CAST(:from AS registry.entitlement_status[]),
                               CAST(:to AS registry.entitlement_status[])))
    """
)


async def restate(session: AsyncSession, chunk_id: UUID) -> None:
    """Move what a chunk announced to where its announcements leave it, if there are several.

    Each stands as its latest announcement does, unless an earlier one is paid.
    """
    before, after = side_by_side(LEGAL_MOVES)
    await session.execute(_RESTATE, {"chunk_id": chunk_id, "from": before, "to": after})


async def sums_of_chunk(session: AsyncSession, chunk: EntitlementChunk) -> dict[str, Any]:
    """What a chunk's entitlements add up to by status, as columns of the chunk.

    Of a repair's chunk it is what it announced that is counted, not what became of it later.
    """
    statement = _SUMS_OF_HOME if chunk.home_chunk_id is None else _SUMS_OF_REPAIR
    return (await session.execute(statement, {"chunk_id": chunk.id})).one()._asdict()


async def without_end(session: AsyncSession, chunk_id: UUID) -> int:
    """How much of what a chunk announced is still on its way."""
    return int(await session.scalar(_WITHOUT_END, {"chunk_id": chunk_id}) or 0)


# Rounds to come cost what round 1 does. Whoever has no account is owed the same, and counted.
_TOTALS = text(
    """
    WITH counted AS (
        SELECT chunk.round,
               sum(chunk.payable_count + chunk.unpayable_count + chunk.excluded_count)
                   AS households,
               sum(chunk.payable_minor + chunk.unpayable_minor) AS minor
        FROM registry.entitlement_chunk AS chunk
        JOIN registry.enrolment_run AS run ON run.id = chunk.enrolment_run_id
        WHERE chunk.activation_id = :activation_id AND chunk.home_chunk_id IS NULL
          AND (run.completed_at IS NOT NULL OR run.id = :run_id)
        GROUP BY chunk.round
    ),
    first AS (SELECT households, minor FROM counted WHERE round = 1)
    SELECT coalesce((SELECT households FROM first), 0)::bigint AS households,
           coalesce(sum(greatest(counted.minor, (SELECT minor FROM first))), 0)::bigint AS minor
    FROM registry.payment_round AS round
    LEFT JOIN counted ON counted.round = round.number
    WHERE round.activation_id = :activation_id
    """
)


async def totals_with(session: AsyncSession, activation_id: UUID, run_id: UUID) -> tuple[int, int]:
    """Whom an activation enrolled and what they are owed over all rounds, with one run more.

    Of the other runs only those count that are complete.
    """
    values = {"activation_id": activation_id, "run_id": run_id}
    households, minor = (await session.execute(_TOTALS, values)).one()
    return households, minor


@dataclass(frozen=True)
class Made:
    """Entitlements of one status that a chunk made."""

    count: int = 0
    minor: int = 0


MadeByStatus = Mapping[EntitlementStatus, Made]


async def make(session: AsyncSession, statement: Totals, values: dict[str, Any]) -> MadeByStatus:
    """Run a chunk's statement; what it made."""
    rows = await session.execute(statement, values)
    return {status: Made(count, int(minor)) for status, count, minor in rows.all()}


def moved(
    made: MadeByStatus, part: Made, before: EntitlementStatus, after: EntitlementStatus
) -> MadeByStatus:
    """What was made, once a part of it went from one status to another."""
    if not part.count:
        return made
    left = made[before]
    there = made.get(after, Made())
    changed = {
        **made,
        before: Made(left.count - part.count, left.minor - part.minor),
        after: Made(there.count + part.count, there.minor + part.minor),
    }
    return {status: sums for status, sums in changed.items() if sums.count}


async def excluding_activations(
    session: AsyncSession, exclusion: Exclusion, *, since: datetime
) -> list[UUID]:
    """Activations of the excluding scheme that announced anything since then."""
    rows = await session.scalars(_EXCLUDING, {"scheme": exclusion.scheme, "since": since})
    return list(rows.all())


async def overlapping_activations(
    session: AsyncSession, scheme: str, *, on: date, but: UUID | None
) -> list[tuple[UUID, bool]]:
    """Other activations of a scheme whose time covers a day, and whether each is cancelled."""
    rows = await session.execute(_OVERLAPPING, {"scheme": scheme, "on": on, "but": but})
    return [(row.id, row.is_cancelled) for row in rows.all()]


async def officers_exclude(session: AsyncSession, scheme: str) -> bool:
    """Whether officers keep anybody out of a scheme, or of an activation of it."""
    return bool(
        await session.scalar(
            select(
                exists().where(
                    HouseholdExclusion.scheme_code == scheme, HouseholdExclusion.ended_at.is_(None)
                )
            )
        )
    )


async def lock_households(
    session: AsyncSession, scheme: str, province: str, *, alone: bool
) -> None:
    """Until the commit no activation of the scheme is worked ``alone`` in the province meanwhile;
    with ``alone``, none at all."""
    statement = _ONE_BY_ONE if alone else _SIDE_BY_SIDE
    await session.execute(statement, {"scheme": scheme, "province": int(province)})
