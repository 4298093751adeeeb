"""SQL of resolutions: which payments they are about, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.approvals.tables import Approval
from services.payments.chunks.tables import Chunk
from services.payments.holds.states import HoldRule
from services.payments.holds.tables import Hold
from services.payments.instructions.states import MAY_BE_ELSEWHERE, Status
from services.payments.instructions.tables import Instruction
from services.payments.providers.tables import Provider
from services.payments.resolutions.deciding import Resolved
from services.payments.resolutions.states import FITS, Outcome, Result
from services.payments.resolutions.tables import Resolution, ResolutionItem
from services.payments.rounds.states import RoundStatus
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import AnyRow, AnySelect, narrowed, paged

_LOCK_NEXT = text(
    """
    SELECT resolution.id, resolution.outcome::text AS outcome, resolution.paid_minor,
        approval.reason, approval.proposed_by, approval.decided_by
    FROM payments.resolution
    JOIN payments.approval ON approval.id = resolution.id
    WHERE resolution.approved_at IS NOT NULL AND resolution.finished_at IS NULL
    ORDER BY resolution.approved_at, resolution.id
    LIMIT 1
    FOR UPDATE OF resolution SKIP LOCKED
    """
)

_PICK = text(
    """
    SELECT instruction_id, from_status::text AS from_status
    FROM payments.resolution_item
    WHERE resolution_id = :resolution_id AND result IS NULL AND instruction_id > :after
    ORDER BY instruction_id
    LIMIT :size
    """
)

_RESULTS = text(
    """
    UPDATE payments.resolution_item
    SET result = CAST(given.result AS payments.resolution_result), detail = given.detail
    FROM unnest(CAST(:ids AS uuid[]), CAST(:results AS text[]), CAST(:details AS text[]))
        AS given (instruction_id, result, detail)
    WHERE resolution_item.resolution_id = :resolution_id
      AND resolution_item.instruction_id = given.instruction_id
    """
)

_WITH_ANSWERS = text(
    """
    SELECT DISTINCT instruction_id FROM payments.answer
    WHERE applied_at IS NULL AND instruction_id = ANY(:ids)
    """
)

_PERHAPS_ELSEWHERE = text(
    f"""
    SELECT id FROM payments.instruction
    WHERE id = ANY(:ids) AND status = 'ready' AND reason = '{MAY_BE_ELSEWHERE}'
    """
)

_ALLOW_RESEND = text(
    """
    UPDATE payments.instruction
    SET resend_approved_at = clock_timestamp(), next_action_at = clock_timestamp()
    WHERE id = ANY(:ids) AND status = 'unknown'
    RETURNING id
    """
)

_LET_GO = text(
    """
    WITH let_go AS (
        UPDATE payments.instruction SET withheld = false
        WHERE id = ANY(:ids) AND withheld AND status IN ('ready', 'unknown')
        RETURNING id
    ),
    ended AS (
        UPDATE payments.hold SET ended_at = :at, resolution_id = :resolution_id
        FROM let_go
        WHERE hold.instruction_id = let_go.id AND hold.ended_at IS NULL
    )
    SELECT id FROM let_go
    """
)

_COUNTS = text(
    """
    SELECT resolution_id AS id, count(*) AS payments,
        count(*) FILTER (WHERE result = 'done') AS done_count,
        count(*) FILTER (WHERE result = 'overtaken') AS overtaken_count,
        count(*) FILTER (WHERE result = 'refused') AS refused_count
    FROM payments.resolution_item
    WHERE resolution_id = ANY(:ids)
    GROUP BY resolution_id
    """
)

_EFFECT = text(
    """
    SELECT count(*) AS payments, count(DISTINCT instruction.household_id) AS households,
        coalesce(sum(instruction.amount_minor), 0)::bigint AS amount_minor,
        array_agg(DISTINCT chunk.currency) AS currencies,
        array_agg(DISTINCT provider.code) AS providers,
        array_agg(DISTINCT resolution_item.from_status::text) AS statuses,
        ARRAY(
            SELECT hold.rule::text || ' ' || count(*)
            FROM payments.resolution_item AS item
            JOIN payments.hold USING (instruction_id)
            WHERE item.resolution_id = :resolution_id AND hold.ended_at IS NULL
            GROUP BY hold.rule
            ORDER BY hold.rule
        ) AS rules
    FROM payments.resolution_item
    JOIN payments.instruction ON instruction.id = resolution_item.instruction_id
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE resolution_item.resolution_id = :resolution_id
    """
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Payments by what they have in common; what is None does not narrow."""

    status: Status | None = None
    provider: str | None = None
    activation_id: UUID | None = None
    reason: str | None = None
    scheme: str | None = None
    rule: HoldRule | None = None
    withheld: bool | None = None


async def standing_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """Of those of the instructions that there are, status, and whether they are withheld."""
    query = select(Instruction.id, Instruction.status, Instruction.withheld).where(
        Instruction.id.in_(ids)
    )
    return {row.id: row for row in await session.execute(query)}


async def add_listed(
    session: AsyncSession, resolution_id: UUID, outcome: Outcome, ids: Sequence[UUID]
) -> None:
    """Keep which of the listed payments a resolution is about: those that fit."""
    chosen = _payments(resolution_id, outcome).where(Instruction.id.in_(ids))
    await _add_items(session, chosen)


async def add_chosen(
    session: AsyncSession,
    resolution_id: UUID,
    outcome: Outcome,
    choice: Choice,
    *,
    maximum: int,
) -> None:
    """Keep which payments a resolution is about, ``maximum`` of them at most."""
    chosen = narrowed(
        _payments(resolution_id, outcome),
        {
            Instruction.status: choice.status,
            Provider.code: choice.provider,
            PaymentRound.activation_id: choice.activation_id,
            Instruction.reason: choice.reason,
            PaymentRound.scheme: choice.scheme,
            Instruction.withheld: choice.withheld,
        },
    )
    if choice.rule is not None:
        chosen = chosen.where(
            exists().where(
                Hold.instruction_id == Instruction.id,
                Hold.rule == choice.rule,
                Hold.ended_at.is_(None),
            )
        )
    await _add_items(session, chosen.limit(maximum))


def _payments(resolution_id: UUID, outcome: Outcome) -> AnySelect:
    query = (
        select(
            literal(resolution_id, ResolutionItem.resolution_id.type),
            Instruction.id,
            Instruction.status,
        )
        .join(Chunk, Chunk.number == Instruction.chunk_number)
        .join(PaymentRound, PaymentRound.number == Chunk.round_number)
        .join(Provider, Provider.number == Instruction.provider_number)
        .where(Instruction.status.in_(FITS[outcome]))
    )
    if outcome is Outcome.CANCELLED:
        # Before its release nothing is reserved for a payment, so nothing can be given back.
        query = query.where(PaymentRound.status == RoundStatus.RELEASED)
    if outcome is Outcome.RELEASED:
        query = query.where(Instruction.withheld)
    return query


async def _add_items(session: AsyncSession, chosen: AnySelect) -> None:
    columns = ("resolution_id", "instruction_id", "from_status")
    await session.execute(insert(ResolutionItem).from_select(columns, chosen))


async def effect_of(session: AsyncSession, resolution_id: UUID) -> AnyRow:
    """How many payments and households a resolution is about, how much money, and where."""
    return (await session.execute(_EFFECT, {"resolution_id": resolution_id})).one()


async def insert_resolution(
    session: AsyncSession, resolution_id: UUID, outcome: Outcome, *, paid_minor: int | None
) -> None:
    """Keep a resolution that waits for a second person."""
    await session.execute(
        insert(Resolution).values(id=resolution_id, outcome=outcome, paid_minor=paid_minor)
    )


async def mark_approved(session: AsyncSession, resolution_id: UUID, *, at: datetime) -> None:
    """Have the worker carry a resolution out."""
    await session.execute(
        update(Resolution).where(Resolution.id == resolution_id).values(approved_at=at)
    )


async def lock_next(session: AsyncSession) -> Resolved | None:
    """Lock the resolution to be carried out next, unless somebody is at it; None: there is none."""
    row = (await session.execute(_LOCK_NEXT)).one_or_none()
    if row is None:
        return None
    return Resolved(
        resolution_id=row.id,
        outcome=Outcome(row.outcome),
        paid_minor=row.paid_minor,
        note=row.reason,
        actor=f"{row.proposed_by}, approved by {row.decided_by}",
    )


async def pick_items(
    session: AsyncSession, resolution_id: UUID, *, after: UUID, size: int
) -> dict[UUID, Status]:
    """Payments of a locked resolution that have no result yet, and in which state they were.

    They are taken in the order of their ids; ``after`` is one before which each has its result.
    """
    given = {"resolution_id": resolution_id, "after": after, "size": size}
    rows = await session.execute(_PICK, given)
    return {row.instruction_id: Status(row.from_status) for row in rows}


async def with_answers(session: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Those about which a provider has said something that is not applied yet."""
    return set((await session.execute(_WITH_ANSWERS, {"ids": list(ids)})).scalars())


async def keep_results(
    session: AsyncSession, resolution_id: UUID, results: dict[UUID, tuple[Result, str | None]]
) -> None:
    """Keep what became of payments of a resolution, with what is to be said of it."""
    await session.execute(
        _RESULTS,
        {
            "resolution_id": resolution_id,
            "ids": list(results),
            "results": [result.value for result, _ in results.values()],
            "details": [detail for _, detail in results.values()],
        },
    )


async def perhaps_elsewhere(session: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Those that another provider may have had before commits were lost, and is asked about."""
    return set((await session.execute(_PERHAPS_ELSEWHERE, {"ids": list(ids)})).scalars())


async def allow_resend(session: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Have unknown payments asked about now, and sent again where the provider knows nothing."""
    return set((await session.execute(_ALLOW_RESEND, {"ids": list(ids)})).scalars())


async def let_go(
    session: AsyncSession, resolution_id: UUID, ids: Sequence[UUID], *, at: datetime
) -> set[UUID]:
    """Let locked payments be sent that a rule holds; which were."""
    given = {"resolution_id": resolution_id, "ids": list(ids), "at": at}
    return set((await session.execute(_LET_GO, given)).scalars())


async def end_holds(
    session: AsyncSession, resolution_id: UUID, ids: Sequence[UUID], *, at: datetime
) -> None:
    """What a rule held of these is decided on: nobody lists it as waiting any more."""
    await session.execute(
        update(Hold)
        .where(Hold.instruction_id.in_(ids), Hold.ended_at.is_(None))
        .values(ended_at=at, resolution_id=resolution_id)
    )


async def finish(session: AsyncSession, resolution_id: UUID, *, at: datetime) -> None:
    """Each payment of the resolution has its result."""
    await session.execute(
        update(Resolution).where(Resolution.id == resolution_id).values(finished_at=at)
    )


async def find_resolution(session: AsyncSession, resolution_id: UUID) -> AnyRow | None:
    """A resolution without its payments."""
    query = select(Resolution.__table__).where(Resolution.id == resolution_id)
    return (await session.execute(query)).one_or_none()


async def list_resolutions(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """Resolutions in the order in which they were proposed."""
    query = paged(select(Resolution.__table__), Resolution.id, after=after, limit=limit)
    return (await session.execute(query)).all()


async def counts_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """How many payments each resolution has, by result."""
    return {row.id: row for row in await session.execute(_COUNTS, {"ids": list(ids)})}


async def proposals_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Approval]:
    """The proposals of resolutions."""
    query = select(Approval).where(Approval.id.in_(ids))
    return {proposal.id: proposal for proposal in await session.scalars(query)}


async def list_items(
    session: AsyncSession,
    resolution_id: UUID,
    *,
    result: Result | None,
    after: UUID | None,
    limit: int,
) -> Sequence[AnyRow]:
    """A resolution's payments in the order of their ids; what is None does not narrow."""
    query = select(
        ResolutionItem.instruction_id,
        ResolutionItem.from_status,
        ResolutionItem.result,
        ResolutionItem.detail,
    ).where(ResolutionItem.resolution_id == resolution_id)
    if result is not None:
        query = query.where(ResolutionItem.result == result)
    return (
        await session.execute(paged(query, ResolutionItem.instruction_id, after=after, limit=limit))
    ).all()
