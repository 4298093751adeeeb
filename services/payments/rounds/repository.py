"""SQL of rounds: beginning them, what they gathered, deciding on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.budget_lines.statements import LINE_ROOM
from services.payments.rounds.states import MOVES, WAITING, RoundStatus
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import AnyRow, among, legal, narrowed, paged
from shared.contracts.events import EnrolmentCompleted, EntitlementsReady

_BEGIN = text(
    """
    INSERT INTO payments.payment_round AS begun
        (enrolment_id, round, activation_id, scheme, fund, currency, budget_line, status,
        announced_at)
    VALUES (:enrolment_id, :round, :activation_id, :scheme, :fund, :currency, :budget_line,
        'gathering', :at)
    -- An update that changes nothing, so that the number is returned either way.
    ON CONFLICT (enrolment_id, round, supplement) DO UPDATE SET round = begun.round
    RETURNING number
    """
)

_BEGIN_SUPPLEMENT = text(
    """
    INSERT INTO payments.payment_round (enrolment_id, round, supplement, activation_id, scheme,
        fund, currency, budget_line, chunk_count, entitlement_count, total_minor, status,
        announced_at)
    SELECT :enrolment_id, :round, max(supplement) + 1, :activation_id, :scheme, :fund, :currency,
        :budget_line, 1, :count, :total_minor, 'gathering', :at
    FROM payments.payment_round
    WHERE enrolment_id = :enrolment_id AND round = :round
    RETURNING number
    """
)

_KEEP_TOTAL = text(
    """
    INSERT INTO payments.payment_round AS kept (enrolment_id, round, activation_id, scheme, fund,
        currency, budget_line, chunk_count, entitlement_count, total_minor, status, announced_at)
    VALUES (:enrolment_id, :round, :activation_id, :scheme, :fund, :currency, :budget_line,
        :chunk_count, :entitlements, :total_minor, 'gathering', :at)
    ON CONFLICT (enrolment_id, round, supplement) DO UPDATE
    SET chunk_count = excluded.chunk_count,
        entitlement_count = excluded.entitlement_count,
        total_minor = excluded.total_minor
    WHERE kept.chunk_count IS NULL
    """
)

# What was released before of the same round of the activation: of other runs, and of chunks that
# were announced again. The bound is for all of it, or many small ones would pass it.
_RELEASED_BEFORE = """
    SELECT coalesce(sum(other.reserved_minor), 0)
    FROM payments.payment_round AS other
    WHERE other.activation_id = waiting.activation_id AND other.round = waiting.round
      AND other.fund = waiting.fund AND other.number <> waiting.number
      AND other.status = 'released'
"""

_GATHERED = f"""
    SELECT waiting.number, waiting.status::text AS status, waiting.activation_id, waiting.scheme,
        waiting.round, waiting.fund, waiting.currency, waiting.budget_line, waiting.chunk_count,
        waiting.entitlement_count, waiting.total_minor, here.chunks, here.entitlements,
        here.announced_minor, here.raised_minor, here.raised_count, here.largest_minor,
        available.currency AS fund_currency,
        available.balance_minor + kept.minor AS available_minor,
        line.room_minor AS line_room_minor
    FROM payments.payment_round AS waiting
    CROSS JOIN LATERAL (
        SELECT count(*) AS chunks,
            coalesce(sum(entitlement_count), 0) AS entitlements,
            coalesce(sum(total_minor), 0) AS announced_minor,
            coalesce(
                sum(total_minor - set_aside_minor) FILTER (WHERE chunk.status <> 'refused'), 0
            ) AS raised_minor,
            coalesce(
                sum(entitlement_count - set_aside_count)
                    FILTER (WHERE chunk.status <> 'refused'), 0
            ) AS raised_count,
            -- No payment of a chunk is larger than the chunk.
            coalesce(
                max(coalesce(largest_minor, total_minor))
                    FILTER (WHERE chunk.status <> 'refused'), 0
            ) AS largest_minor,
            count(*) FILTER (WHERE chunk.status = 'announced') AS unfetched
        FROM payments.chunk
        WHERE chunk.round_number = waiting.number
    ) AS here
    LEFT JOIN LATERAL (
        SELECT account.currency, debits_minor - credits_minor AS balance_minor
        FROM payments.account
        WHERE account.code = 'BUDGET_AVAILABLE' AND account.scope = waiting.fund
    ) AS available ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(reserved_minor), 0)::bigint AS minor
        FROM payments.reservation
        JOIN payments.activation_trigger USING (trigger)
        WHERE activation_trigger.activation_id = waiting.activation_id
          AND reservation.fund = waiting.fund AND reservation.released_at IS NULL
    ) AS kept
    LEFT JOIN LATERAL (
        {LINE_ROOM} AND budget_line.fund = waiting.fund AND budget_line.code = waiting.budget_line
    ) AS line ON true
"""

# One that waits for money is only looked at again when there is enough of it, and one that waits
# for two persons when it needs them no more, or can no longer be let go by them.
_PICK = text(
    f"""
    {_GATHERED}
    LEFT JOIN payments.fund ON fund.code = waiting.fund
    WHERE waiting.status IN ({among(WAITING)})
      AND here.chunks >= waiting.chunk_count
      AND here.unfetched = 0
      AND (
          waiting.status = 'gathering'
          OR available.balance_minor + kept.minor >= here.raised_minor
              AND available.currency = waiting.currency
              AND (waiting.budget_line IS NULL OR line.room_minor >= here.raised_minor)
              AND (
                  waiting.status = 'unfunded'
                  OR here.largest_minor <= fund.maximum_payment_minor
                      AND here.raised_minor + ({_RELEASED_BEFORE}) <= fund.maximum_round_minor
              )
          OR waiting.status = 'unapproved' AND here.chunks > waiting.chunk_count
      )
    ORDER BY waiting.number
    LIMIT 1
    FOR UPDATE OF waiting SKIP LOCKED
    """
)

_LOCK_GATHERED = text(f"{_GATHERED} WHERE waiting.number = :number FOR UPDATE OF waiting")

_RELEASED = text(
    f"""
    SELECT ({_RELEASED_BEFORE}) FROM payments.payment_round AS waiting
    WHERE waiting.number = :number
    """
)

_MOVE = text(
    f"""
    UPDATE payments.payment_round
    SET status = CAST(CAST(:target AS text) AS payments.round_status),
        reason = :reason,
        reserved_minor = :reserved_minor,
        released_at = CASE WHEN CAST(:target AS text) = 'released' THEN CAST(:at AS timestamptz) END
    WHERE number = :number
      AND (status, CAST(CAST(:target AS text) AS payments.round_status))
          IN (VALUES {legal(MOVES, enum_type="round_status")})
    RETURNING true
    """
)


class IllegalMove(Exception):
    """A round was to go where its state does not lead."""


@dataclass(frozen=True, slots=True)
class GatheredRound:
    """A round all of whose chunks are here: what it should add up to, what it does, what it has."""

    number: int
    status: RoundStatus
    activation_id: UUID
    scheme: str
    round: int
    fund: str
    currency: str
    budget_line: str | None
    """The line of its fund that it is booked on, where it is on one."""
    chunk_count: int
    entitlement_count: int
    total_minor: int
    """As the enrolment said."""
    chunks: int
    entitlements: int
    announced_minor: int
    """As the chunks add up."""
    raised_minor: int
    """Without the chunks that were refused, and without what was set aside of the others."""
    raised_count: int
    largest_minor: int
    """Its largest payment."""
    fund_currency: str | None
    available_minor: int | None
    """What its fund has for it; None where there is no such fund."""
    line_room_minor: int | None
    """What its budget line has room for; None where there is no such line."""


async def begin_round(session: AsyncSession, ready: EntitlementsReady, *, at: datetime) -> int:
    """The number of the round that a chunk belongs to: begun by its first chunk."""
    number: int = await session.scalar(
        _BEGIN,
        {
            "enrolment_id": ready.enrolment_id,
            "round": ready.round,
            "activation_id": ready.activation_id,
            "scheme": ready.scheme,
            "fund": ready.fund,
            "currency": ready.currency,
            "budget_line": ready.budget_line,
            "at": at,
        },
    )
    return number


async def begin_supplement(session: AsyncSession, ready: EntitlementsReady, *, at: datetime) -> int:
    """The number of a new round of one chunk, beside the round that was decided without it."""
    number: int = await session.scalar(
        _BEGIN_SUPPLEMENT,
        {
            "enrolment_id": ready.enrolment_id,
            "round": ready.round,
            "activation_id": ready.activation_id,
            "scheme": ready.scheme,
            "fund": ready.fund,
            "currency": ready.currency,
            "budget_line": ready.budget_line,
            "count": ready.count,
            "total_minor": ready.total_minor,
            "at": at,
        },
    )
    return number


async def keep_total(session: AsyncSession, completed: EnrolmentCompleted, *, at: datetime) -> None:
    """Keep what a round has to add up to; said twice, the first time counts."""
    await session.execute(
        _KEEP_TOTAL,
        {
            "enrolment_id": completed.enrolment_id,
            "round": completed.round,
            "activation_id": completed.activation_id,
            "scheme": completed.scheme,
            "fund": completed.fund,
            "currency": completed.currency,
            "budget_line": completed.budget_line,
            "chunk_count": completed.chunk_count,
            "entitlements": completed.entitlements,
            "total_minor": completed.total_minor,
            "at": at,
        },
    )


async def pick_gathered(session: AsyncSession) -> GatheredRound | None:
    """Lock a round that can be decided on now."""
    row = (await session.execute(_PICK)).one_or_none()
    return _gathered(row) if row else None


async def lock_gathered(session: AsyncSession, number: int) -> GatheredRound | None:
    """Lock a round, whatever it waits for; None: there is none."""
    row = (await session.execute(_LOCK_GATHERED, {"number": number})).one_or_none()
    return _gathered(row) if row else None


async def released_before(session: AsyncSession, number: int) -> int:
    """How much was released of the same round of the same activation before this one of it.

    Exact once its fund is locked.
    """
    return int(await session.scalar(_RELEASED, {"number": number}) or 0)


def _gathered(row: AnyRow) -> GatheredRound:
    return GatheredRound(
        number=row.number,
        status=RoundStatus(row.status),
        activation_id=row.activation_id,
        scheme=row.scheme,
        round=row.round,
        fund=row.fund,
        currency=row.currency,
        budget_line=row.budget_line,
        chunk_count=row.chunk_count,
        entitlement_count=row.entitlement_count,
        total_minor=row.total_minor,
        chunks=row.chunks,
        # Sums are numeric in PostgreSQL.
        entitlements=int(row.entitlements),
        announced_minor=int(row.announced_minor),
        raised_minor=int(row.raised_minor),
        raised_count=int(row.raised_count),
        largest_minor=row.largest_minor,
        fund_currency=row.fund_currency,
        available_minor=row.available_minor,
        line_room_minor=row.line_room_minor,
    )


async def move_round(
    session: AsyncSession,
    number: int,
    target: RoundStatus,
    *,
    at: datetime,
    reason: str | None,
    reserved_minor: int | None = None,
) -> None:
    """The only writer of a round's state. Raises IllegalMove: then nothing has moved."""
    moved = await session.scalar(
        _MOVE,
        {
            "number": number,
            "target": target.value,
            "at": at,
            "reason": reason,
            "reserved_minor": reserved_minor,
        },
    )
    if not moved:
        raise IllegalMove(f"Round {number} is not in a state that leads to {target}.")


async def find_round(session: AsyncSession, number: int) -> AnyRow | None:
    """A round as the lists show it."""
    query = select(PaymentRound.__table__).where(PaymentRound.number == number)
    return (await session.execute(query)).one_or_none()


async def list_rounds(
    session: AsyncSession,
    *,
    after: int | None,
    limit: int,
    activation_id: UUID | None,
    status: RoundStatus | None,
) -> Sequence[AnyRow]:
    """Rounds in the order of their numbers; what is None does not narrow."""
    query = narrowed(
        select(PaymentRound.__table__),
        {PaymentRound.activation_id: activation_id, PaymentRound.status: status},
    )
    return (
        await session.execute(paged(query, PaymentRound.number, after=after, limit=limit))
    ).all()
