"""SQL of sweeps: which payments, whom to ask next, what was found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.tables import Chunk
from services.payments.instructions.states import Status
from services.payments.instructions.tables import Instruction
from services.payments.providers.tables import Provider
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import AnyRow, narrowed, paged
from services.payments.sweeps.comparing import Comparison, Ended
from services.payments.sweeps.tables import Finding, Sweep, SweepItem
from shared.database import NOW

# Whatever is on its way, or due to be asked about, comes before what has its end.
_IS_BUSY = text(
    f"""
    SELECT EXISTS (
        SELECT FROM payments.instruction
        WHERE status IN ('sending', 'pending', 'unknown')
          AND provider_number = :provider_number AND next_action_at <= {NOW}
    ) OR EXISTS (
        SELECT FROM payments.instruction
        WHERE status = 'sending' AND provider_number = :provider_number
    )
    """
)

_PICK = text(
    f"""
    WITH picked AS MATERIALIZED (
        SELECT sweep_id, instruction_id
        FROM payments.sweep_item
        WHERE finding IS NULL
          AND provider_number = :provider_number
          AND ask_at <= {NOW}
        ORDER BY ask_at
        LIMIT :size
        FOR NO KEY UPDATE SKIP LOCKED
    ),
    asked AS (
        UPDATE payments.sweep_item
        SET asked = asked + 1,
            ask_at = clock_timestamp() + make_interval(secs => :again_seconds)
        FROM picked
        WHERE sweep_item.sweep_id = picked.sweep_id
          AND sweep_item.instruction_id = picked.instruction_id
        RETURNING sweep_item.sweep_id, sweep_item.instruction_id, sweep_item.asked
    )
    SELECT asked.sweep_id, asked.asked, instruction.id, instruction.status::text AS status,
        coalesce(instruction.paid_minor, instruction.amount_minor) AS paid_minor, chunk.currency,
        instruction.transaction_reference, instruction.server_correlation_id
    FROM asked
    JOIN payments.instruction ON instruction.id = asked.instruction_id
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    """
)

_KEEP = text(
    """
    UPDATE payments.sweep_item
    SET finding = CAST(given.finding AS payments.sweep_finding), detail = given.detail
    FROM unnest(CAST(:sweep_ids AS uuid[]), CAST(:instruction_ids AS uuid[]),
        CAST(:findings AS text[]), CAST(:details AS text[]))
        AS given (sweep_id, instruction_id, finding, detail)
    WHERE sweep_item.sweep_id = given.sweep_id
      AND sweep_item.instruction_id = given.instruction_id
      AND sweep_item.finding IS NULL
    """
)

_GIVE_UP = text(
    """
    UPDATE payments.sweep_item
    SET finding = 'unanswered', detail = 'Its provider is not in the settings any more.'
    FROM payments.provider
    WHERE finding IS NULL
      AND provider.number = sweep_item.provider_number
      AND provider.code <> ALL(CAST(:configured AS text[]))
    """
)

_FINISH = text(
    """
    UPDATE payments.sweep SET finished_at = :at
    WHERE finished_at IS NULL AND NOT EXISTS (
        SELECT FROM payments.sweep_item
        WHERE sweep_item.sweep_id = sweep.id AND finding IS NULL
    )
    RETURNING id
    """
)

_COUNTS = text(
    """
    SELECT sweep_id AS id, count(*) AS payments,
        count(*) FILTER (WHERE asked > 0) AS asked_count,
        count(*) FILTER (WHERE finding = 'agrees') AS agreeing_count,
        count(*) FILTER (WHERE finding = 'differs') AS differing_count,
        count(*) FILTER (WHERE finding = 'unanswered') AS unanswered_count
    FROM payments.sweep_item
    WHERE sweep_id = ANY(:ids)
    GROUP BY sweep_id
    """
)

_ENDED = text("SELECT count(*) FROM payments.instruction WHERE status IN ('settled', 'rejected')")


async def insert_sweep(
    session: AsyncSession,
    sweep_id: UUID,
    *,
    activation_id: UUID | None,
    provider: str | None,
    statuses: Sequence[Status],
    sample: int | None,
    configured: Sequence[str],
    by: str,
    at: datetime,
) -> None:
    """Keep a sweep and which payments it asks about; those of configured providers."""
    await session.execute(
        insert(Sweep).values(
            id=sweep_id,
            activation_id=activation_id,
            provider=provider,
            settled=Status.SETTLED in statuses,
            rejected=Status.REJECTED in statuses,
            sample=sample,
            requested_by=by,
            requested_at=at,
        )
    )
    chosen = narrowed(
        select(
            literal(sweep_id, SweepItem.sweep_id.type),
            Instruction.id,
            Instruction.provider_number,
        )
        .join(Chunk, Chunk.number == Instruction.chunk_number)
        .join(PaymentRound, PaymentRound.number == Chunk.round_number)
        .join(Provider, Provider.number == Instruction.provider_number)
        .where(Instruction.status.in_(statuses), Provider.code.in_(configured)),
        {PaymentRound.activation_id: activation_id, Provider.code: provider},
    )
    if sample is not None:
        chosen = chosen.order_by(func.random()).limit(sample)
    columns = ("sweep_id", "instruction_id", "provider_number")
    await session.execute(insert(SweepItem).from_select(columns, chosen))


async def is_busy(session: AsyncSession, *, provider_number: int) -> bool:
    """Whether payments of the provider are on their way, or due to be asked about."""
    return bool(await session.scalar(_IS_BUSY, {"provider_number": provider_number}))


async def pick_items(
    session: AsyncSession, *, provider_number: int, size: int, again_seconds: float
) -> list[tuple[UUID, int, Ended]]:
    """Payments to ask about now, each with its sweep and how often that was asked by now.

    Each is put off already, in case nobody comes back.
    """
    rows = await session.execute(
        _PICK,
        {"provider_number": provider_number, "size": size, "again_seconds": again_seconds},
    )
    return [
        (
            row.sweep_id,
            row.asked,
            Ended(
                instruction_id=row.id,
                status=Status(row.status),
                paid_minor=row.paid_minor,
                currency=row.currency,
                transaction_reference=row.transaction_reference,
                server_correlation_id=row.server_correlation_id,
            ),
        )
        for row in rows
    ]


async def keep_findings(
    session: AsyncSession, findings: Mapping[tuple[UUID, UUID], Comparison]
) -> None:
    """Keep what was found, by sweep and instruction."""
    await session.execute(
        _KEEP,
        {
            "sweep_ids": [sweep_id for sweep_id, _ in findings],
            "instruction_ids": [instruction_id for _, instruction_id in findings],
            "findings": [comparison.finding.value for comparison in findings.values()],
            "details": [comparison.detail for comparison in findings.values()],
        },
    )


async def finish_sweeps(
    session: AsyncSession, *, configured: Sequence[str], at: datetime
) -> list[UUID]:
    """Close sweeps that have nobody left to ask."""
    await session.execute(_GIVE_UP, {"configured": list(configured)})
    return list((await session.execute(_FINISH, {"at": at})).scalars())


async def find_sweep(session: AsyncSession, sweep_id: UUID) -> AnyRow | None:
    """A sweep, or None."""
    query = select(Sweep.__table__).where(Sweep.id == sweep_id)
    return (await session.execute(query)).one_or_none()


async def list_sweeps(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[AnyRow]:
    """Sweeps in the order in which they were requested."""
    query = paged(select(Sweep.__table__), Sweep.id, after=after, limit=limit)
    return (await session.execute(query)).all()


async def last_finished(session: AsyncSession) -> AnyRow | None:
    """The sweep that was finished last; None: there was none."""
    query = (
        select(Sweep.__table__)
        .where(Sweep.finished_at.is_not(None))
        .order_by(Sweep.finished_at.desc(), Sweep.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


async def count_ended(session: AsyncSession) -> int:
    """How many payments are settled or rejected."""
    return int(await session.scalar(_ENDED) or 0)


async def counts_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """How many payments each sweep asks about, and what was found."""
    return {row.id: row for row in await session.execute(_COUNTS, {"ids": list(ids)})}


async def list_items(
    session: AsyncSession,
    sweep_id: UUID,
    *,
    finding: Finding | None,
    after: UUID | None,
    limit: int,
) -> Sequence[AnyRow]:
    """A sweep's payments in the order of their ids; what is None does not narrow."""
    query = narrowed(
        select(
            SweepItem.instruction_id,
            Provider.code.label("provider"),
            SweepItem.finding,
            SweepItem.detail,
        )
        .join(Provider, Provider.number == SweepItem.provider_number)
        .where(SweepItem.sweep_id == sweep_id),
        {SweepItem.finding: finding},
    )
    query = paged(query, SweepItem.instruction_id, after=after, limit=limit)
    return (await session.execute(query)).all()
