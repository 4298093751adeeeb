"""Repairs in the database: what can be announced again, and what is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, any_, bindparam, insert, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, Boolean, Uuid

from services.registry.chunks.tables import EnrolmentRun, EntitlementChunk
from services.registry.duplicates.holding.repository import HELD_FROM_REPAIR
from services.registry.enrolments.repository import restate
from services.registry.households.tables import Household
from services.registry.repairs.tables import Reannouncement, Repair
from shared.bounds import Bound, codes_of, within, within_text

NO_OUTCOME = "no-outcome"
"""The reason of what payments left out of a chunk that it settled, once a repair takes it."""

# Payments settled the chunk, and did not tell how all of it ended.
_LEFT_SOME_OUT = """
    announced_in.status = 'settling'
        AND announced_in.settlements_applied = announced_in.settlements_announced
"""

# Whatever is on its way or paid is none of this. Nobody tried the account of what was refused.
_UNPAID = f"""
    SELECT entitlement.id, entitlement.chunk_id, entitlement.amount_minor,
           entitlement.payee_account_id AS first_account_id, latest.number AS latest_number,
           account.id AS account_id,
           coalesce(latest.payee_account_id, entitlement.payee_account_id)
               IS DISTINCT FROM account.id
               OR entitlement.status IN ('ready', 'refused')
               OR entitlement.reason = '{NO_OUTCOME}' AS is_untried
    FROM registry.entitlement
    LEFT JOIN LATERAL (
        SELECT number, chunk_id, payee_account_id FROM registry.announcement
        WHERE entitlement_id = entitlement.id ORDER BY number DESC LIMIT 1
    ) AS latest ON true
    JOIN registry.entitlement_chunk AS announced_in
        ON announced_in.id = coalesce(latest.chunk_id, entitlement.chunk_id)
    LEFT JOIN registry.payee_account AS account
        ON account.household_id = entitlement.household_id AND account.ended_at IS NULL
    -- What is held for a second person is not let through by another way.
    JOIN registry.entitlement_chunk AS made_in ON made_in.id = entitlement.chunk_id
    JOIN registry.enrolment_run AS run
        ON run.id = made_in.enrolment_run_id AND run.completed_at IS NOT NULL
    WHERE (entitlement.status IN ('failed', 'unpayable', 'refused')
           OR entitlement.status = 'ready' AND {_LEFT_SOME_OUT})
      AND NOT EXISTS (
          SELECT FROM registry.exclusion
          JOIN registry.activation ON activation.id = entitlement.activation_id
          WHERE exclusion.household_id = entitlement.household_id AND exclusion.ended_at IS NULL
            AND exclusion.scheme_code = activation.scheme_code
            AND coalesce(exclusion.activation_id, activation.id) = activation.id)
      AND NOT {HELD_FROM_REPAIR}
"""
# Worked out in their areas, of a household that lives there still.
_IS_THEIRS = f"""
    (CAST(:bound AS text[]) IS NULL OR {within_text("entitlement.area_code")} AND EXISTS (
        SELECT FROM registry.household
        WHERE household.id = entitlement.household_id AND {within_text("household.area_code")}))
"""
_OF_SOME = """
    AND (:household_ids IS NULL OR entitlement.household_id = ANY(:household_ids))
"""
_IS_PAYABLE = "account_id IS NOT NULL AND amount_minor <= :maximum_minor"
_CAN_BE_ANNOUNCED = f"{_IS_PAYABLE} AND (is_untried OR :same_account)"

_HOUSEHOLDS = bindparam("household_ids", type_=ARRAY(Uuid))
_SAME_ACCOUNT = bindparam("same_account", type_=Boolean)
_CHUNK = bindparam("chunk_id", type_=Uuid)
_MAXIMUM_MINOR = bindparam("maximum_minor", type_=BigInteger)

# Whatever the statistics say while an activation is new: what is unpaid is looked up by indexes.
_PREFER_INDEXES = text(
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true), set_config('enable_memoize', 'off', true)
    """
)

# Only chunks with somebody unpaid are looked into.
_PREVIEW = text(
    f"""
    WITH unpaid AS ({_UNPAID} AND {_IS_THEIRS} AND entitlement.chunk_id IN (
        SELECT id FROM registry.entitlement_chunk AS home
        WHERE home.activation_id = :activation_id AND home.round = :round
          AND home.home_chunk_id IS NULL
          AND home.unpayable_count + home.payable_count > home.paid_count))
    SELECT count(*) FILTER (WHERE {_IS_PAYABLE} AND is_untried) AS repairable_count,
           coalesce(sum(amount_minor) FILTER (WHERE {_IS_PAYABLE} AND is_untried), 0)
               ::bigint AS repairable_minor,
           count(*) FILTER (WHERE {_IS_PAYABLE} AND NOT is_untried) AS same_account_count,
           coalesce(sum(amount_minor) FILTER (WHERE {_IS_PAYABLE} AND NOT is_untried), 0)
               ::bigint AS same_account_minor,
           count(*) FILTER (WHERE account_id IS NULL) AS without_account_count,
           coalesce(sum(amount_minor) FILTER (WHERE account_id IS NULL), 0)::bigint
               AS without_account_minor,
           count(*) FILTER (WHERE account_id IS NOT NULL AND amount_minor > :maximum_minor)
               AS above_fund_bound_count
    FROM unpaid
    """
).bindparams(_MAXIMUM_MINOR)

_HOMES = text(
    f"""
    WITH unpaid AS ({_UNPAID} {_OF_SOME} AND entitlement.chunk_id IN (
        SELECT id FROM registry.entitlement_chunk AS home
        WHERE home.activation_id = :activation_id AND home.round = :round
          AND home.home_chunk_id IS NULL
          AND home.unpayable_count + home.payable_count > home.paid_count
          AND (:chunk_id IS NULL OR home.id = :chunk_id)))
    SELECT chunk_id, count(*) AS households, sum(amount_minor)::bigint AS amount_minor
    FROM unpaid WHERE {_CAN_BE_ANNOUNCED} GROUP BY chunk_id
    """
).bindparams(_HOUSEHOLDS, _SAME_ACCOUNT, _CHUNK, _MAXIMUM_MINOR)

# With its home, which nobody else changes meanwhile.
_CLAIM = text(
    """
    SELECT chunk.id, chunk.enrolment_run_id, chunk.activation_id, chunk.round,
           chunk.home_chunk_id, activation.scheme_code, activation.scheme_version,
           repair.household_ids, repair.same_account,
           set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true), set_config('enable_memoize', 'off', true)
    FROM registry.entitlement_chunk AS chunk
    JOIN registry.entitlement_chunk AS home ON home.id = chunk.home_chunk_id
    JOIN registry.repair ON repair.run_id = chunk.enrolment_run_id
    JOIN registry.activation ON activation.id = chunk.activation_id
    WHERE chunk.status = 'planned' AND activation.cancelled_on IS NULL
      AND (chunk.attempt_after IS NULL OR chunk.attempt_after <= clock_timestamp())
    ORDER BY chunk.planned_at, chunk.id
    LIMIT 1
    FOR NO KEY UPDATE OF chunk, home SKIP LOCKED
    """
)

_SET_ASIDE = text(
    f"""
    UPDATE registry.entitlement SET status = 'unpayable', reason = '{NO_OUTCOME}'
    FROM registry.entitlement_chunk AS announced_in
    WHERE entitlement.chunk_id = :home_chunk_id AND entitlement.status = 'ready' {_OF_SOME}
      AND announced_in.id = entitlement.chunk_id AND {_LEFT_SOME_OUT}
      AND NOT EXISTS (SELECT FROM registry.announcement WHERE entitlement_id = entitlement.id)
    """
).bindparams(_HOUSEHOLDS)
_SET_ASIDE_ANNOUNCEMENTS = text(
    f"""
    UPDATE registry.announcement SET status = 'unpayable', reason = '{NO_OUTCOME}'
    FROM registry.entitlement, registry.entitlement_chunk AS announced_in
    WHERE entitlement.id = announcement.entitlement_id
      AND entitlement.chunk_id = :home_chunk_id AND announcement.status = 'ready' {_OF_SOME}
      AND announced_in.id = announcement.chunk_id AND {_LEFT_SOME_OUT}
    RETURNING announcement.chunk_id
    """
).bindparams(_HOUSEHOLDS)

# The first announcement is kept beside the second. Each follows on from those before: what never
# had an account has the first one now.
_ANNOUNCE = text(
    f"""
    WITH chosen AS (
        SELECT * FROM ({_UNPAID} {_OF_SOME} AND entitlement.chunk_id = :home_chunk_id) AS unpaid
        WHERE {_CAN_BE_ANNOUNCED}
    ),
    moved AS (
        UPDATE registry.entitlement SET status = 'ready', reason = NULL, finished_at = NULL
        FROM chosen
        WHERE entitlement.id = chosen.id
        RETURNING entitlement.id, entitlement.amount_minor, chosen.account_id,
                  chosen.first_account_id, chosen.latest_number, old.status AS status_before,
                  old.reason AS reason_before, old.finished_at AS finished_before
    ),
    kept AS (
        INSERT INTO registry.announcement
            (entitlement_id, number, chunk_id, payee_account_id, status, reason, finished_at)
        SELECT id, 1, :home_chunk_id, first_account_id,
               status_before, reason_before, finished_before
        FROM moved WHERE latest_number IS NULL AND first_account_id IS NOT NULL
        RETURNING entitlement_id
    ),
    announced AS (
        INSERT INTO registry.announcement
            (entitlement_id, number, chunk_id, payee_account_id, status)
        SELECT id,
               1 + coalesce(latest_number, CASE WHEN first_account_id IS NULL THEN 0 ELSE 1 END),
               :chunk_id, account_id, 'ready'
        FROM moved
        RETURNING entitlement_id
    )
    SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS total_minor
    FROM moved
    """
).bindparams(_HOUSEHOLDS, _SAME_ACCOUNT, _CHUNK, _MAXIMUM_MINOR)

_NOT_OWED = text(
    f"""
    SELECT count(*) FROM unnest(:household_ids) AS named (household_id)
    WHERE NOT EXISTS (
        SELECT FROM registry.entitlement
        WHERE entitlement.household_id = named.household_id
          AND activation_id = :activation_id AND round = :round AND {_IS_THEIRS})
    """
).bindparams(_HOUSEHOLDS)

_FOLLOWED = text(
    """
    SELECT count(*) FROM registry.announcement AS here
    WHERE here.chunk_id = :chunk_id AND EXISTS (
        SELECT FROM registry.announcement AS later
        WHERE later.entitlement_id = here.entitlement_id AND later.number > here.number)
    """
)
_BACK = text(
    """
    UPDATE registry.entitlement SET status = 'ready', reason = NULL
    WHERE chunk_id = :chunk_id AND status = 'refused'
      AND NOT EXISTS (SELECT FROM registry.announcement WHERE entitlement_id = entitlement.id)
    """
)
_BACK_ANNOUNCEMENTS = text(
    """
    UPDATE registry.announcement SET status = 'ready', reason = NULL
    WHERE chunk_id = :chunk_id AND status = 'refused'
    """
)


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose entitlements a repair is for: all of a round, of one chunk of it, or these."""

    chunk_id: UUID | None = None
    household_ids: list[UUID] | None = None
    same_account: bool = False


@dataclass(frozen=True, kw_only=True)
class Repairable:
    """What a repair would announce now, and the chunks that it is of, the oldest first."""

    homes: list[EntitlementChunk]
    households: int
    amount_minor: int


async def preview(
    session: AsyncSession,
    activation_id: UUID,
    round_number: int,
    *,
    bound: Bound,
    maximum_minor: int,
) -> Row[Any]:
    """How much of a round a repair could announce, and how much it could not."""
    await session.execute(_PREFER_INDEXES)
    values = {
        "activation_id": activation_id,
        "round": round_number,
        "bound": codes_of(bound),
        "maximum_minor": maximum_minor,
    }
    rows = await session.execute(_PREVIEW, values)
    found: Row[Any] = rows.one()
    return found


async def repairable(
    session: AsyncSession,
    activation_id: UUID,
    round_number: int,
    whose: Whose,
    *,
    maximum_minor: int,
) -> Repairable:
    """Whom of a round a repair can announce."""
    await session.execute(_PREFER_INDEXES)
    found = await session.execute(
        _HOMES,
        {
            "activation_id": activation_id,
            "round": round_number,
            "chunk_id": whose.chunk_id,
            "household_ids": whose.household_ids,
            "same_account": whose.same_account,
            "maximum_minor": maximum_minor,
        },
    )
    by_chunk = found.all()
    rows = await session.scalars(
        select(EntitlementChunk)
        .where(EntitlementChunk.id.in_([row.chunk_id for row in by_chunk]))
        .order_by(EntitlementChunk.planned_at, EntitlementChunk.id)
    )
    return Repairable(
        homes=list(rows.all()),
        households=sum(row.households for row in by_chunk),
        amount_minor=sum(row.amount_minor for row in by_chunk),
    )


async def count_not_owed(
    session: AsyncSession,
    activation_id: UUID,
    round_number: int,
    household_ids: Sequence[UUID],
    *,
    bound: Bound,
) -> int:
    """How many of these households have no entitlement in a round."""
    values = {
        "activation_id": activation_id,
        "round": round_number,
        "household_ids": list(household_ids),
        "bound": codes_of(bound),
    }
    return int(await session.scalar(_NOT_OWED, values) or 0)


async def add_repair(session: AsyncSession, **fields: Any) -> None:
    """Keep a repair; ``fields`` are the table's columns."""
    await session.execute(insert(Repair).values(fields))


async def find_repair(
    session: AsyncSession, run_id: UUID, *, bound: Bound
) -> tuple[Repair, EnrolmentRun] | None:
    """A repair and its run; in a caller's areas, one that names households that all live there."""
    query: Any = (
        select(Repair, EnrolmentRun)
        .join(EnrolmentRun, EnrolmentRun.id == Repair.run_id)
        .where(Repair.run_id == run_id)
    )
    if bound is not None:
        elsewhere = select(Household.id).where(
            Household.id == any_(Repair.household_ids), ~within(bound, Household.area_code)
        )
        query = query.where(
            Repair.household_ids.is_not(None), ~elsewhere.correlate(Repair).exists()
        )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else (found[0], found[1])


async def repairs_of(session: AsyncSession, run_ids: Sequence[UUID]) -> dict[UUID, Repair]:
    """The repairs among these runs, by run."""
    rows = await session.scalars(select(Repair).where(Repair.run_id.in_(run_ids)))
    return {repair.run_id: repair for repair in rows.all()}


async def claim_planned(session: AsyncSession) -> Row[Any] | None:
    """A repair's planned chunk, locked with its home until the commit; None where none waits."""
    claimed: Row[Any] | None = (await session.execute(_CLAIM)).one_or_none()
    return claimed


async def announce(session: AsyncSession, chunk: Row[Any], *, maximum_minor: int) -> Row[int, int]:
    """Announce in a repair's chunk what can be of its home: how many entitlements, of what sum.

    What payments left out of a settled chunk is set aside first.
    """
    values = {
        "chunk_id": chunk.id,
        "home_chunk_id": chunk.home_chunk_id,
        "household_ids": chunk.household_ids,
        "same_account": chunk.same_account,
        "maximum_minor": maximum_minor,
    }
    some = {name: values[name] for name in ("home_chunk_id", "household_ids")}
    await session.execute(_SET_ASIDE, some)
    for set_aside_in in set((await session.scalars(_SET_ASIDE_ANNOUNCEMENTS, some)).all()):
        await restate(session, set_aside_in)
    return (await session.execute(_ANNOUNCE, values)).one()


async def count_followed(session: AsyncSession, chunk_id: UUID) -> int:
    """How much of what a chunk announced was announced again since, by a later one."""
    return int(await session.scalar(_FOLLOWED, {"chunk_id": chunk_id}) or 0)


async def make_ready_again(session: AsyncSession, chunk_id: UUID) -> None:
    """What was refused of a chunk is on its way again."""
    await session.execute(_BACK, {"chunk_id": chunk_id})
    await session.execute(_BACK_ANNOUNCEMENTS, {"chunk_id": chunk_id})
    await restate(session, chunk_id)


async def add_reannouncement(session: AsyncSession, **fields: Any) -> Reannouncement:
    """Keep that a chunk is announced once more; ``fields`` are the table's columns."""
    added = await session.execute(insert(Reannouncement).values(fields).returning(Reannouncement))
    return added.scalar_one()


async def list_reannouncements(
    session: AsyncSession, chunk_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Reannouncement]:
    """When a chunk was announced once more, the first time first, after one of them."""
    place = tuple_(Reannouncement.requested_at, Reannouncement.id)
    query = select(Reannouncement).where(Reannouncement.chunk_id == chunk_id)
    if after is not None:
        query = query.where(place > after)
    by_age = query.order_by(Reannouncement.requested_at, Reannouncement.id)
    return list((await session.scalars(by_age.limit(limit))).all())
