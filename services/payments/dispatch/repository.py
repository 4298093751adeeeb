"""Which instructions are to be sent, to be given up as unknown, or to be asked about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.moves import Waits
from services.payments.instructions.states import MAY_BE_ELSEWHERE, MAY_BE_TRIED_ANEW, Status
from services.payments.providers.protocol import Order
from services.payments.statements import (
    CHUNK_PAUSED,
    PAUSED,
    PAUSED_AREAS,
    answers_that_say_paid,
    outside,
)
from shared.database import NOW
from shared.money import Money

_CLAIM_LOCK = 7_205_011
_LOCK_CLAIMS = text("SELECT pg_try_advisory_xact_lock(:claim, :provider_number)")
CLAIMS_SIDE_BY_SIDE = 2
"""How many transactions may claim at a provider at the same time, each of other chunks."""
_PLACE_LOCKS = tuple(range(7_205_041, 7_205_041 + CLAIMS_SIDE_BY_SIDE))
_LOCK_BESIDE = text("SELECT pg_try_advisory_xact_lock_shared(:claim, :provider_number)")

_PERHAPS_TRIED = """
    EXISTS (
        SELECT FROM payments.instruction AS tried
        JOIN payments.chunk AS lost ON lost.number = tried.chunk_number
        WHERE tried.entitlement_id = instruction.entitlement_id
          AND tried.status IN ('rejected', 'held', 'returned', 'cancelled')
          AND tried.status = 'rejected' AND tried.announcement < instruction.announcement
          AND lost.epoch < (SELECT events.current_epoch())
          AND NOT EXISTS (
              SELECT FROM payments.asked_further AS asked
              WHERE asked.instruction_id = tried.id
                AND asked.epoch = (SELECT events.current_epoch())
          )
    )
"""

# What is tried anew is not sent while an earlier attempt may have been paid after all: its late
# success is held, or waits to be recorded; or a further attempt may be among commits that were
# lost, and was not asked about.
PERHAPS_PAID = f"""
    ((instruction.announcement > 1 OR instruction.attempt > 1) AND (
        EXISTS (
            SELECT FROM payments.instruction AS other
            WHERE other.entitlement_id = instruction.entitlement_id AND other.status = 'held'
        )
        OR {answers_that_say_paid("instruction.entitlement_id")}
        OR instruction.announcement > 1 AND {_PERHAPS_TRIED}
    ))
"""

# The float falls only by what is claimed, so under the claimer's lock the running sum cannot
# overdraw it; what it does not cover stays ready, unlocked, and is seen in GET /providers.
COVERED_BY_FLOAT = """
        SELECT running.*
        FROM (
            SELECT candidate.*, sum(amount_minor) OVER (ORDER BY id) AS running FROM candidate
        ) AS running
        WHERE running <= (
            SELECT debits_minor - credits_minor
            FROM payments.account
            WHERE code = 'PROVIDER_FLOAT' AND scope = :provider
        )
"""

_PICK_READY = f"""
    WITH candidate AS MATERIALIZED (
        SELECT ready.*, open.currency
        FROM (
            SELECT chunk.number, chunk.currency, {{paused_areas}} AS paused_areas
            FROM payments.chunk
            JOIN payments.payment_round ON payment_round.number = chunk.round_number
            WHERE chunk.status = 'raised' AND payment_round.status = 'released'
              AND {{of_chunks}}
            ORDER BY chunk.number
        ) AS open
        CROSS JOIN LATERAL (
            SELECT id, amount_minor
            FROM payments.instruction
            WHERE chunk_number = open.number
              AND status = 'ready'
              AND provider_number = :provider_number
              AND (next_action_at IS NULL OR next_action_at <= clock_timestamp())
              AND NOT {PERHAPS_PAID}
              AND {outside("open.paused_areas")}
              AND {{may_go}}
            LIMIT :size
        ) AS ready
        LIMIT :size
    ),
    covered AS MATERIALIZED ({COVERED_BY_FLOAT})
    SELECT instruction.id, household_id, instruction.amount_minor, covered.currency,
        account_sealed, moves
    FROM covered
    JOIN payments.instruction ON instruction.id = covered.id
    WHERE instruction.status = 'ready' AND instruction.provider_number = :provider_number
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction SKIP LOCKED
"""

NOT_CANCELLED = """
    NOT EXISTS (
        SELECT FROM payments.cancelled_activation AS cancelled
        WHERE cancelled.activation_id = payment_round.activation_id
    )
"""

_PICK_UNSENT = text(
    _PICK_READY.format(
        of_chunks=f"chunk.epoch = (SELECT events.current_epoch()) AND {NOT_CANCELLED} "
        f"AND NOT {CHUNK_PAUSED}",
        paused_areas=PAUSED_AREAS,
        may_go="NOT withheld AND NOT account_unchecked",
    )
)

# In a later epoch than its chunk was announced in, what is ready may have been sent before: the
# database may have lost that it was. It is only asked about, so neither pause nor rule keeps it.
_PICK_PERHAPS_SENT = text(
    _PICK_READY.format(
        of_chunks="chunk.epoch < (SELECT events.current_epoch())",
        paused_areas="CAST('{}' AS text[])",
        # What was ever claimed never went by another provider after.
        may_go="""(
            NOT :asked_elsewhere_first
            OR instruction.moves > 0
            OR EXISTS (
                SELECT FROM payments.asked_elsewhere AS asked
                WHERE asked.instruction_id = instruction.id
                  AND asked.epoch = (SELECT events.current_epoch())
            )
        )""",
    )
)

_COUNT_PAUSES = text("SELECT count(*) FROM payments.pause")

_PICK_EXPIRED = text(
    f"""
    SELECT id FROM payments.instruction
    WHERE status = 'sending' AND next_action_at <= {NOW}
    ORDER BY next_action_at
    LIMIT :size
    FOR NO KEY UPDATE SKIP LOCKED
    """
)

# The answer is about the sending that it was asked about, and about no later one. A repeat has to
# arrive while the provider still recognises it: by the end of its lease.
_NOT_KNOWN = text(
    f"""
    SELECT instruction.id, household_id, amount_minor, chunk.currency, account_sealed, moves,
        CASE
            WHEN sent_at > clock_timestamp() - make_interval(secs => :not_known_untrue_seconds)
                THEN 'not_known_may_be_untrue'
            WHEN {PERHAPS_PAID} THEN 'perhaps_paid_by_another_attempt'
            WHEN {PAUSED} THEN 'paused'
            WHEN instruction.withheld THEN 'held_by_rule'
            WHEN instruction.account_unchecked THEN 'account_not_checked'
            WHEN chunk.epoch < (SELECT events.current_epoch()) AND NOT EXISTS (
                SELECT FROM payments.asked_further AS asked
                WHERE asked.instruction_id = instruction.id
                  AND asked.epoch = (SELECT events.current_epoch())
            ) THEN '{MAY_BE_TRIED_ANEW}'
            WHEN resend_approved_at IS NOT NULL THEN NULL
            WHEN NOT {NOT_CANCELLED} THEN 'activation_cancelled'
            WHEN EXISTS (
                SELECT FROM payments.asked_elsewhere AS asked
                WHERE asked.instruction_id = instruction.id AND NOT asked.is_certain
            ) THEN '{MAY_BE_ELSEWHERE}'
            WHEN EXISTS (
                SELECT FROM payments.asked_further AS asked
                WHERE asked.instruction_id = instruction.id AND NOT asked.is_certain
            ) THEN '{MAY_BE_TRIED_ANEW}'
            WHEN :recognises_repeats_seconds = 0 THEN 'repeats_not_recognised'
            WHEN first_sent_at IS NULL THEN 'first_sending_not_known'
            WHEN first_sent_at <= clock_timestamp() - make_interval(
                secs => :recognises_repeats_seconds - :lease_seconds
            ) THEN 'repeats_no_longer_recognised'
        END AS kept_because
    FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS integer[])) AS asked (id, position)
    JOIN payments.instruction USING (id)
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE instruction.status = 'unknown' AND instruction.moves = asked.position
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction
    """
)


def _pick_due(waits: Waits) -> TextClause:
    after_this = "instruction.inquiries + 1"
    return text(
        f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM payments.instruction
            WHERE status IN ('pending', 'unknown')
              AND provider_number = :provider_number
              -- By its own id the provider never knew it.
              AND batch_number IS NULL
              AND next_action_at <= {NOW}
              AND id <> ALL(CAST(:besides AS uuid[]))
            ORDER BY next_action_at
            LIMIT :size
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE payments.instruction
        SET inquiries = least(instruction.inquiries + 1, 1000),
            next_action_at = clock_timestamp() + make_interval(secs => CASE instruction.status
                WHEN 'pending' THEN {waits.pending.sql(after_this)}
                ELSE {waits.unknown.sql(after_this)}
            END)
        FROM due
        WHERE instruction.id = due.id
        RETURNING instruction.id, instruction.status::text AS status,
            instruction.server_correlation_id, instruction.moves, instruction.reason
        """
    )


@dataclass(frozen=True, slots=True)
class Due:
    """An instruction that the provider is to be asked about."""

    instruction_id: UUID
    status: Status
    server_correlation_id: UUID | None
    position: int
    """How many moves it has made: the answer is about what it is now."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class Picked:
    """An order that is locked, and how many moves its instruction has made."""

    order: Order
    moves: int


async def lock_claims(session: AsyncSession, provider_number: int) -> bool:
    """Whether this transaction alone claims what is ready at a provider, until it ends."""
    return bool(
        await session.scalar(
            _LOCK_CLAIMS, {"claim": _CLAIM_LOCK, "provider_number": provider_number}
        )
    )


async def lock_claims_beside(session: AsyncSession, provider_number: int) -> bool:
    """Whether this transaction claims at a provider, beside others that do so in the same way.

    Nobody has ``lock_claims`` meanwhile. What each of these claims is not to be claimed by the
    others, and none sees what the others take of the float: the database refuses what overdraws it.
    """
    given = {"claim": _CLAIM_LOCK, "provider_number": provider_number}
    if not await session.scalar(_LOCK_BESIDE, given):
        return False
    for place in _PLACE_LOCKS:
        given = {"claim": place, "provider_number": provider_number}
        if await session.scalar(_LOCK_CLAIMS, given):
            return True
    return False


async def count_pauses(session: AsyncSession) -> int:
    """How many pauses were ever made. They are never deleted, so a new one always shows."""
    return int(await session.scalar(_COUNT_PAUSES) or 0)


async def pick_ready(
    session: AsyncSession,
    *,
    provider: str,
    provider_number: int,
    size: int,
    perhaps_sent: bool = False,
    asked_elsewhere_first: bool = False,
) -> list[Picked]:
    """Lock ready instructions of released rounds, no more than the provider's float covers.

    Those that were certainly never sent and are not paused; or, ``perhaps_sent``, the others, and
    with ``asked_elsewhere_first`` of them those that no other provider knows.
    """
    if not await lock_claims(session, provider_number):
        return []
    given = {"provider": provider, "provider_number": provider_number, "size": size}
    if perhaps_sent:
        given["asked_elsewhere_first"] = asked_elsewhere_first
    rows = await session.execute(_PICK_PERHAPS_SENT if perhaps_sent else _PICK_UNSENT, given)
    return [_picked(row) for row in rows]


async def pick_expired(session: AsyncSession, *, size: int) -> list[UUID]:
    """Lock instructions whose sender did not come back within its lease."""
    return list((await session.execute(_PICK_EXPIRED, {"size": size})).scalars())


async def pick_due(
    session: AsyncSession,
    *,
    provider_number: int,
    size: int,
    besides: Collection[UUID],
    waits: Waits,
) -> list[Due]:
    """Instructions to ask about now, ``besides`` those that are asked about already.

    Each is put off, in case nobody comes back.
    """
    rows = await session.execute(
        _pick_due(waits),
        {
            "provider_number": provider_number,
            "size": size,
            "besides": list(besides),
        },
    )
    return [
        Due(
            instruction_id=row.id,
            status=Status(row.status),
            server_correlation_id=row.server_correlation_id,
            position=row.moves,
            reason=row.reason,
        )
        for row in rows
    ]


async def lock_not_known(
    session: AsyncSession,
    due: Sequence[Due],
    *,
    recognises_repeats_seconds: int,
    not_known_untrue_seconds: int,
    lease_seconds: float,
) -> list[tuple[Picked, str | None]]:
    """Lock those that are as they were when the provider said that it does not know them.

    With each, why it may not be sent again, as a code; None: it may.
    """
    rows = await session.execute(
        _NOT_KNOWN,
        {
            "ids": [asked.instruction_id for asked in due],
            "positions": [asked.position for asked in due],
            "recognises_repeats_seconds": recognises_repeats_seconds,
            "not_known_untrue_seconds": not_known_untrue_seconds,
            "lease_seconds": lease_seconds,
        },
    )
    return [(_picked(row), row.kept_because) for row in rows]


def _picked(row: Row[Any]) -> Picked:
    order = Order(
        instruction_id=row.id,
        household_id=row.household_id,
        money=Money(row.amount_minor, row.currency),
        account_sealed=row.account_sealed,
    )
    return Picked(order, row.moves)
