"""Runs and their chunks in the database. Nobody else writes either."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    Update,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.registry.chunks.states import WAITING, ChunkStatus, moves_to
from services.registry.chunks.tables import EnrolmentRun, EntitlementChunk, RunKind
from shared.contracts.events import PaymentsCounted
from shared.retry import Backoff

LEASE_SECONDS = 15
_SHORTLY_SECONDS = 0.2
_AFTER_FAILURE = Backoff(first_seconds=0.5, longest_seconds=60)

# Claimed and set up in one round trip. A chunk is small against the registry: walking the indexes
# is right whatever the statistics say, and keeps a household's cost the same at any size.
_CLAIM = text(
    """
    SELECT chunk.id, chunk.enrolment_run_id, chunk.activation_id, chunk.round, chunk.area_codes,
           chunk.first_round_chunk_id, chunk.province_code, round.due_on,
           activation.scheme_code, activation.scheme_version,
           further.household_ids, further.whatever_the_rule, further.known_until,
           set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true), set_config('enable_memoize', 'off', true)
    FROM registry.entitlement_chunk AS chunk
    JOIN registry.activation ON activation.id = chunk.activation_id
    JOIN registry.payment_round AS round
        ON round.activation_id = chunk.activation_id AND round.number = chunk.round
    LEFT JOIN registry.further_enrolment AS further ON further.run_id = chunk.enrolment_run_id
    WHERE chunk.status = 'planned' AND chunk.home_chunk_id IS NULL
      AND (chunk.attempt_after IS NULL OR chunk.attempt_after <= clock_timestamp())
      AND activation.cancelled_on IS NULL
    ORDER BY chunk.planned_at, chunk.id
    LIMIT 1
    FOR UPDATE OF chunk SKIP LOCKED
    """
)

_LEASE = text(
    "UPDATE registry.entitlement_chunk "
    "SET attempt_after = clock_timestamp() + :seconds * interval '1 second' WHERE id = :id"
)

_PUT_OFF = text(
    f"""
    UPDATE registry.entitlement_chunk
    SET attempts = least(attempts + 1, 1000), last_error = :error,
        attempt_after = clock_timestamp()
            + {_AFTER_FAILURE.sql("attempts")} * interval '1 second'
    WHERE id = :id
    """
)

# In whatever order counts come, and however often, the latest is kept.
_KEEP_COUNT = text(
    """
    INSERT INTO registry.payment_count AS known (chunk_id, counted_at, paid_count, paid_minor,
        failed_count, failed_minor)
    SELECT chunk.id, :counted_at, :paid_count, :paid_minor, :failed_count, :failed_minor
    FROM registry.entitlement_chunk AS chunk
    WHERE chunk.id = :chunk_id
    ON CONFLICT (chunk_id) DO UPDATE
    SET counted_at = excluded.counted_at, paid_count = excluded.paid_count,
        paid_minor = excluded.paid_minor, failed_count = excluded.failed_count,
        failed_minor = excluded.failed_minor
    WHERE known.counted_at < excluded.counted_at
    """
)

_UNTROUBLED: dict[str, Any] = {"attempts": 0, "attempt_after": None, "last_error": None}

# What was payable when the chunk was worked, whatever became of it since: the same bytes each
# time. The account is the one of then, for a later one is another row. For asyncpg.
_COPY = """
    SELECT entitlement.id, entitlement.household_id, entitlement.area_code,
           entitlement.amount_minor, $2::text, account.provider_code, account.account_sealed,
           1::smallint, substr(sha256(account.account_index), 1, 8), {household}
    FROM registry.entitlement
    JOIN registry.payee_account AS account ON account.id = entitlement.payee_account_id
    {households}
    WHERE entitlement.chunk_id = $1::uuid
    ORDER BY entitlement.id
"""

# The same of a chunk that announces entitlements again.
_COPY_AGAIN = """
    SELECT entitlement.id, entitlement.household_id, entitlement.area_code,
           entitlement.amount_minor, $2::text, account.provider_code, account.account_sealed,
           announcement.number, substr(sha256(account.account_index), 1, 8), {household}
    FROM registry.announcement
    JOIN registry.entitlement ON entitlement.id = announcement.entitlement_id
    JOIN registry.payee_account AS account ON account.id = announcement.payee_account_id
    {households}
    WHERE announcement.chunk_id = $1::uuid
    ORDER BY entitlement.id
"""

_WITHOUT_HOUSEHOLDS = {"household": "''::bytea", "households": ""}
# As it is known now, where all else is of then. It takes as long again as all else.
_WITH_HOUSEHOLDS = {
    "household": "substr(sha256(household.content_index), 1, 8)",
    "households": "JOIN registry.household ON household.id = entitlement.household_id",
}
COPY, COPY_WITH_HOUSEHOLDS, COPY_AGAIN, COPY_AGAIN_WITH_HOUSEHOLDS = (
    rows.format(**more)
    for rows in (_COPY, _COPY_AGAIN)
    for more in (_WITHOUT_HOUSEHOLDS, _WITH_HOUSEHOLDS)
)

# A chunk is small against the registry, whatever the statistics say, and no account is in it twice.
_UNFIT = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_memoize")
PREFER_INDEXES = "; ".join(f"SET {name} = off" for name in _UNFIT)
PREFER_NOTHING = "; ".join(f"RESET {name}" for name in _UNFIT)


def _moving(chunk_id: UUID, to: ChunkStatus, **values: Any) -> Update:
    """What writes a chunk's status, and nothing else does: a legal move, or no row."""
    return (
        update(EntitlementChunk)
        .where(EntitlementChunk.id == chunk_id, EntitlementChunk.status.in_(moves_to(to)))
        .values(status=to, **values)
        .execution_options(synchronize_session=False)
    )


async def add_run(session: AsyncSession, **fields: Any) -> None:
    """Keep a run; ``fields`` are the table's columns."""
    await session.execute(insert(EnrolmentRun).values(chunks_done=0, **fields))


async def add_chunks(session: AsyncSession, chunks: Sequence[dict[str, Any]]) -> None:
    """Keep planned chunks; each is the table's columns, without the counts."""
    if chunks:
        planned = [{"status": ChunkStatus.PLANNED} | chunk for chunk in chunks]
        await session.execute(insert(EntitlementChunk), planned)


async def first_rounds_without(
    session: AsyncSession, activation_id: UUID, round_number: int, *, of_run: UUID | None
) -> list[EntitlementChunk]:
    """Chunks of complete runs of round 1 without one of a later round yet: all, or those of a run.

    Those of a run that is held wait for its completion, which plans what they missed.
    """
    later = aliased(EntitlementChunk)
    complete = exists().where(
        EnrolmentRun.id == EntitlementChunk.enrolment_run_id, EnrolmentRun.completed_at.is_not(None)
    )
    query = select(EntitlementChunk).where(
        complete,
        EntitlementChunk.activation_id == activation_id,
        EntitlementChunk.round == 1,
        EntitlementChunk.home_chunk_id.is_(None),
        EntitlementChunk.status != ChunkStatus.PLANNED,
        ~exists().where(
            later.first_round_chunk_id == EntitlementChunk.id, later.round == round_number
        ),
    )
    if of_run is not None:
        query = query.where(EntitlementChunk.enrolment_run_id == of_run)
    by_age = query.order_by(EntitlementChunk.planned_at, EntitlementChunk.id)
    return list((await session.scalars(by_age)).all())


async def find_chunk(session: AsyncSession, chunk_id: UUID) -> EntitlementChunk | None:
    """The chunk with this id."""
    return await session.scalar(select(EntitlementChunk).where(EntitlementChunk.id == chunk_id))


async def list_chunks(
    session: AsyncSession, activation_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[EntitlementChunk]:
    """The chunks of an activation in the order in which they were planned, after one of them."""
    chunk = EntitlementChunk
    query = select(chunk).where(chunk.activation_id == activation_id)
    if after is not None:
        query = query.where(tuple_(chunk.planned_at, chunk.id) > after)
    by_age = query.order_by(chunk.planned_at, chunk.id)
    return list((await session.scalars(by_age.limit(limit))).all())


async def count_by_status(session: AsyncSession) -> dict[ChunkStatus, int]:
    """How many chunks stand where."""
    rows = await session.execute(
        select(EntitlementChunk.status, func.count()).group_by(EntitlementChunk.status)
    )
    return {row[0]: row[1] for row in rows}


async def count_put_off(session: AsyncSession) -> int:
    """Chunks that could not be worked when they were tried, and are tried again."""
    statement = select(func.count()).where(
        EntitlementChunk.status.in_(WAITING), EntitlementChunk.last_error.is_not(None)
    )
    return await session.scalar(statement) or 0


async def list_runs(session: AsyncSession, activation_id: UUID) -> list[EnrolmentRun]:
    """The runs of an activation, in the order in which they were planned."""
    rows = await session.scalars(
        select(EnrolmentRun)
        .where(EnrolmentRun.activation_id == activation_id)
        .order_by(EnrolmentRun.planned_at, EnrolmentRun.id)
    )
    return list(rows.all())


async def claim_planned(session: AsyncSession) -> Row[Any] | None:
    """A planned chunk, locked until the commit; None where no other waits."""
    claimed: Row[Any] | None = (await session.execute(_CLAIM)).one_or_none()
    return claimed


async def finish(
    session: AsyncSession, chunk_id: UUID, to: ChunkStatus, *, at: datetime, **sums: int
) -> bool:
    """Keep what a planned chunk made (``sums`` are columns); whether it was its run's last.

    The run is locked last, and until the commit: the worker that makes it whole completes it.
    """
    moved = (
        _moving(chunk_id, to, announced_at=at, **sums, **_UNTROUBLED)
        .returning(EntitlementChunk.enrolment_run_id)
        .cte("moved")
    )
    last = await session.execute(
        update(EnrolmentRun)
        .where(EnrolmentRun.id == moved.c.enrolment_run_id)
        .values(chunks_done=EnrolmentRun.chunks_done + 1)
        .returning(EnrolmentRun.chunks_done == EnrolmentRun.chunks_planned)
        .execution_options(synchronize_session=False)
    )
    return bool(last.scalar_one())


async def complete_run(session: AsyncSession, run_id: UUID, *, at: datetime) -> EnrolmentRun:
    """Keep that all chunks of a run are done."""
    completed = await session.execute(
        update(EnrolmentRun)
        .where(EnrolmentRun.id == run_id)
        .values(completed_at=at)
        .returning(EnrolmentRun)
    )
    return completed.scalar_one()


async def hold_run(session: AsyncSession, run_id: UUID, *, approval_id: UUID, at: datetime) -> None:
    """Keep that a run whose chunks are done waits for a person, and since when."""
    await session.execute(
        update(EnrolmentRun)
        .where(EnrolmentRun.id == run_id)
        .values(held_at=func.coalesce(EnrolmentRun.held_at, at), approval_id=approval_id)
        .execution_options(synchronize_session=False)
    )


async def find_run(session: AsyncSession, run_id: UUID) -> EnrolmentRun | None:
    """The run with this id."""
    return await session.scalar(select(EnrolmentRun).where(EnrolmentRun.id == run_id))


async def count_runs(
    session: AsyncSession, activation_id: UUID, round_number: int, kind: RunKind
) -> int:
    """How many runs of a kind a round has had."""
    counted = await session.scalar(
        select(func.count()).where(
            EnrolmentRun.activation_id == activation_id,
            EnrolmentRun.round == round_number,
            EnrolmentRun.kind == kind,
        )
    )
    return int(counted or 0)


async def sums_of_run(session: AsyncSession, run_id: UUID) -> Row[int, int, int, int, int]:
    """How many chunks of a run were announced and what they add up to, whatever came of it since.

    Those ``without_account`` were never announced by the run.
    """
    chunk = EntitlementChunk
    entitled = chunk.payable_count + chunk.unpayable_count
    query = select(
        func.count().filter(chunk.announced_count > 0).label("chunks"),
        func.coalesce(func.sum(entitled + chunk.excluded_count), 0).label("households"),
        func.coalesce(func.sum(chunk.announced_count), 0).label("announced"),
        func.coalesce(func.sum(chunk.announced_minor), 0).label("announced_minor"),
        func.coalesce(func.sum(entitled - chunk.announced_count), 0).label("without_account"),
    )
    return (await session.execute(query.where(chunk.enrolment_run_id == run_id))).one()


async def announce_settlement(session: AsyncSession, chunk_id: UUID) -> bool:
    """Whether there is such a chunk: its outcomes are to be fetched (again)."""
    moved = await session.execute(
        _moving(
            chunk_id,
            ChunkStatus.SETTLING,
            attempt_after=None,
            settlements_announced=EntitlementChunk.settlements_announced + 1,
        ).returning(EntitlementChunk.id)
    )
    return moved.one_or_none() is not None


async def announce_progress(session: AsyncSession, chunk_id: UUID) -> bool:
    """Whether there is such a chunk: what came of some of it is to be fetched, and it waits on."""
    moved = await session.execute(
        _moving(
            chunk_id,
            ChunkStatus.ANNOUNCED,
            attempt_after=None,
            settlements_announced=EntitlementChunk.settlements_announced + 1,
        )
        # Nothing else that can become announced waits for payments.
        .where(EntitlementChunk.status.not_in([ChunkStatus.PLANNED, ChunkStatus.REFUSED]))
        .returning(EntitlementChunk.id)
    )
    return moved.one_or_none() is not None


async def keep_count(session: AsyncSession, counted: PaymentsCounted) -> None:
    """Keep what payments counted of a chunk, unless it counted later or the chunk is none."""
    await session.execute(
        _KEEP_COUNT,
        {
            "chunk_id": counted.chunk_id,
            "counted_at": counted.counted_at,
            "paid_count": counted.paid_count,
            "paid_minor": counted.paid_minor,
            "failed_count": counted.failed_count,
            "failed_minor": counted.failed_minor,
        },
    )


async def announce_refusal(session: AsyncSession, chunk_id: UUID, *, reason: str) -> bool:
    """Whether there is such a chunk to refuse: its entitlements are to say so."""
    moved = await session.execute(
        _moving(chunk_id, ChunkStatus.REFUSING, refusal=reason).returning(EntitlementChunk.id)
    )
    return moved.one_or_none() is not None


async def lease_ending(session: AsyncSession) -> EntitlementChunk | None:
    """A chunk with outcomes to fetch, or that is refused, for this worker alone for the lease."""
    chunk = await session.scalar(
        select(EntitlementChunk)
        .where(
            or_(
                EntitlementChunk.status.in_([ChunkStatus.SETTLING, ChunkStatus.REFUSING]),
                EntitlementChunk.settlements_applied < EntitlementChunk.settlements_announced,
            ),
            EntitlementChunk.status != ChunkStatus.PLANNED,
            or_(
                EntitlementChunk.attempt_after.is_(None),
                EntitlementChunk.attempt_after <= func.clock_timestamp(),
            ),
        )
        .order_by(EntitlementChunk.planned_at, EntitlementChunk.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if chunk is not None:
        await session.execute(_LEASE, {"id": chunk.id, "seconds": LEASE_SECONDS})
    return chunk


async def put_off(session: AsyncSession, chunk_id: UUID, *, error: str) -> None:
    """Note an attempt that failed: the next one waits longer."""
    await session.execute(_PUT_OFF, {"id": chunk_id, "error": error})


async def put_off_shortly(session: AsyncSession, chunk_id: UUID) -> None:
    """Let others go on with a chunk: it is looked at again soon, and nothing has failed."""
    await session.execute(_LEASE, {"id": chunk_id, "seconds": _SHORTLY_SECONDS})


async def lock_chunks(
    session: AsyncSession, chunk_ids: Collection[UUID]
) -> dict[UUID, EntitlementChunk] | None:
    """These chunks as they stand, until the commit for this transaction alone.

    Whoever changes entitlements holds the chunk that announced them and their home. For one chunk
    it waits; of several it takes none where another holds any (None), for they are locked in many
    orders by those who hear of them.
    """
    several = len(chunk_ids) > 1
    rows = await session.scalars(
        select(EntitlementChunk)
        .where(EntitlementChunk.id.in_(chunk_ids))
        .with_for_update(skip_locked=several, key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {chunk.id: chunk for chunk in rows.all()}
    return found if len(found) == len(chunk_ids) else None


async def keep_sums(session: AsyncSession, chunk_id: UUID, sums: Mapping[str, Any]) -> None:
    """Keep what the entitlements of a chunk add up to (``sums`` are columns)."""
    await session.execute(
        update(EntitlementChunk)
        .where(EntitlementChunk.id == chunk_id)
        .values(dict(sums))
        .execution_options(synchronize_session=False)
    )


async def apply_settlement(session: AsyncSession, chunk_id: UUID, *, settlement: int) -> None:
    """Keep that outcomes of a chunk were applied.

    ``settlement`` counts the chunk's announcements up to the one that they answer.
    """
    await keep_sums(session, chunk_id, {"settlements_applied": settlement})


async def settle(session: AsyncSession, chunk_id: UUID) -> None:
    """What payments told of a chunk is applied: it is settled, if payments said that it can be.

    It is not where something newer was told meanwhile.
    """
    chunk = EntitlementChunk
    await keep_sums(session, chunk_id, _UNTROUBLED)
    settled = _moving(chunk_id, ChunkStatus.SETTLED)
    await session.execute(settled.where(chunk.settlements_announced == chunk.settlements_applied))


async def refuse(session: AsyncSession, chunk_id: UUID) -> None:
    """The entitlements of a chunk say that it was refused: so does the chunk."""
    applied = EntitlementChunk.settlements_announced
    await session.execute(
        _moving(chunk_id, ChunkStatus.REFUSED, settlements_applied=applied, **_UNTROUBLED)
    )


async def announce_again(session: AsyncSession, chunk_id: UUID) -> None:
    """A refused chunk waits for payments again."""
    await session.execute(
        _moving(chunk_id, ChunkStatus.ANNOUNCED, refusal=None, **_UNTROUBLED).where(
            EntitlementChunk.status == ChunkStatus.REFUSED
        )
    )
