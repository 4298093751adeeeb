"""SQL of callbacks: picking, marking, taking up again, listing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import Status
from services.payments.instructions.tables import Instruction
from services.payments.providers.tables import Provider
from services.payments.statements import AnyRow, legal, paged
from services.payments.webhooks.states import MOVES, WebhookStatus
from services.payments.webhooks.tables import Webhook
from shared.events.log import CHANNEL

CALLBACKS = "callbacks"
"""What the events' channel says when callbacks were stored, as it says types of events."""

STORE = f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::smallint[], $2::text[], $3::bytea[], $4::bytea[])
            AS given (provider_number, webhook_id, body_sealed, body_fingerprint)
    ),
    stored AS (
        INSERT INTO payments.webhook (provider_number, webhook_id, body_sealed, body_fingerprint,
            status)
        SELECT provider_number, webhook_id, body_sealed, body_fingerprint, 'received' FROM given
        ON CONFLICT (provider_number, webhook_id) DO NOTHING
        RETURNING provider_number, webhook_id
    ),
    differed AS (
        UPDATE payments.webhook SET differed_at = clock_timestamp()
        FROM given
        WHERE NOT EXISTS (
              SELECT FROM stored
              WHERE (stored.provider_number, stored.webhook_id)
                  = (given.provider_number, given.webhook_id)
          )
          AND webhook.provider_number = given.provider_number
          AND webhook.webhook_id = given.webhook_id
          AND webhook.differed_at IS NULL
          AND webhook.body_fingerprint <> given.body_fingerprint
          -- Fingerprints of two keys say nothing of one another.
          AND substr(webhook.body_fingerprint, 1, 2) = substr(given.body_fingerprint, 1, 2)
    )
    SELECT pg_notify('{CHANNEL}', '{CALLBACKS}') FROM stored LIMIT 1
"""
"""For a connection of its own: outside a transaction block one statement is its own transaction.

No id of a provider is in it twice.
"""

_DIFFERED = text(
    """
    SELECT webhook.id, webhook.webhook_id, webhook.instruction_id, provider.code AS provider
    FROM payments.webhook
    JOIN payments.provider ON provider.number = webhook.provider_number
    WHERE webhook.differed_at IS NOT NULL AND NOT webhook.difference_told
      AND webhook.status <> 'received'
    ORDER BY webhook.id
    LIMIT :size
    FOR NO KEY UPDATE OF webhook SKIP LOCKED
    """
)

_TOLD = text("UPDATE payments.webhook SET difference_told = true WHERE id = ANY(:ids)")

_PICK = text(
    """
    SELECT id, provider_number, webhook_id, body_sealed
    FROM payments.webhook
    WHERE status = 'received'
    ORDER BY id
    LIMIT :size
    FOR NO KEY UPDATE SKIP LOCKED
    """
)

_MOVE = text(
    f"""
    UPDATE payments.webhook
    SET status = given.status,
        instruction_id = CASE WHEN given.status = 'received' THEN webhook.instruction_id
            ELSE given.instruction_id END,
        reason = CASE WHEN given.status = 'received' THEN webhook.reason ELSE given.reason END,
        worked_at = CASE WHEN given.status = 'received' THEN webhook.worked_at
            ELSE clock_timestamp() END
    FROM (
        SELECT id, CAST(status AS payments.webhook_status) AS status, instruction_id, reason
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:statuses AS text[]),
            CAST(:instruction_ids AS uuid[]), CAST(:reasons AS text[])
        ) AS given (id, status, instruction_id, reason)
    ) AS given
    WHERE webhook.id = given.id
      AND (webhook.status, given.status)
          IN (VALUES {legal(MOVES, enum_type="webhook_status")})
    RETURNING webhook.id
    """
)

_NOW_MATCHED = text(
    """
    SELECT webhook.id
    FROM payments.webhook
    JOIN payments.instruction ON instruction.id = webhook.instruction_id
        AND instruction.provider_number = webhook.provider_number
    WHERE webhook.status = 'unmatched'
    ORDER BY webhook.id
    LIMIT :size
    FOR NO KEY UPDATE OF webhook SKIP LOCKED
    """
)

_BLOCKED_LONG_ENOUGH = text(
    """
    SELECT id FROM payments.webhook
    WHERE status = 'blocked'
      AND worked_at < clock_timestamp() - make_interval(secs => :seconds)
    ORDER BY id
    LIMIT :size
    FOR NO KEY UPDATE SKIP LOCKED
    """
)


@dataclass(frozen=True, slots=True)
class WebhookMove:
    """Where a callback is to go, and what was learnt from working it."""

    id: UUID
    target: WebhookStatus
    reason: str | None = None
    instruction_id: UUID | None = None
    """What it speaks of, where that could be read."""


_HERE = text(
    """
    SELECT instruction.id, instruction.provider_number
    FROM unnest(CAST(:ids AS uuid[]), CAST(:provider_numbers AS smallint[]))
        AS given (id, provider_number)
    JOIN payments.instruction USING (id, provider_number)
    """
)


async def instructions_here(
    session: AsyncSession, spoken_of: Collection[tuple[UUID, int]]
) -> set[tuple[UUID, int]]:
    """Which of these instructions there are, at the provider that speaks of them."""
    given = {
        "ids": [instruction_id for instruction_id, _ in spoken_of],
        "provider_numbers": [number for _, number in spoken_of],
    }
    rows = await session.execute(_HERE, given)
    return {(row.id, row.provider_number) for row in rows}


async def ordered_and_settled(session: AsyncSession, instruction_id: UUID) -> tuple[int, bool]:
    """With how many minor units an instruction is ordered, and whether it is settled."""
    query = select(Instruction.amount_minor, Instruction.status).where(
        Instruction.id == instruction_id
    )
    amount_minor, status = (await session.execute(query)).one()
    return amount_minor, status is Status.SETTLED


async def pick_received(session: AsyncSession, *, size: int) -> Sequence[AnyRow]:
    """Lock callbacks that were not worked yet, in the order of their arrival."""
    return (await session.execute(_PICK, {"size": size})).all()


async def move_webhooks(session: AsyncSession, moves: Sequence[WebhookMove]) -> set[UUID]:
    """The only writer of a callback's state: makes every legal move, and returns which moved.

    One that is received again keeps what was learnt of it until it is worked anew.
    """
    if not moves:
        return set()
    rows = await session.execute(
        _MOVE,
        {
            "ids": [move.id for move in moves],
            "statuses": [move.target.value for move in moves],
            "instruction_ids": [move.instruction_id for move in moves],
            "reasons": [move.reason for move in moves],
        },
    )
    return set(rows.scalars())


async def find_matched(session: AsyncSession, *, size: int) -> list[UUID]:
    """Lock unmatched callbacks whose instruction is here by now."""
    return list((await session.execute(_NOW_MATCHED, {"size": size})).scalars())


async def find_blocked(session: AsyncSession, *, seconds: float, size: int) -> list[UUID]:
    """Lock blocked callbacks that were worked longer than ``seconds`` ago."""
    given = {"seconds": seconds, "size": size}
    return list((await session.execute(_BLOCKED_LONG_ENOUGH, given)).scalars())


async def pick_differed(session: AsyncSession, *, size: int) -> Sequence[AnyRow]:
    """Lock worked callbacks whose id came again with another body, of which nobody was told."""
    return (await session.execute(_DIFFERED, {"size": size})).all()


async def difference_told(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Keep that a person was told of these."""
    await session.execute(_TOLD, {"ids": list(ids)})


async def list_webhooks(
    session: AsyncSession,
    *,
    after: UUID | None,
    limit: int,
    status: WebhookStatus | None,
    only_differing: bool = False,
    provider: str | None = None,
) -> Sequence[AnyRow]:
    """Callbacks in the order of their arrival; what is None does not narrow."""
    query = select(
        Webhook.id,
        Provider.code.label("provider"),
        Webhook.webhook_id,
        Webhook.status,
        Webhook.instruction_id,
        Webhook.reason,
        Webhook.received_at,
        Webhook.worked_at,
        Webhook.differed_at,
    ).join(Provider, Provider.number == Webhook.provider_number)
    if status is not None:
        # The state stands in the statement, so that the partial indexes on it can be used.
        query = query.where(text(f"webhook.status = '{status}'"))
    if provider is not None:
        query = query.where(Provider.code == provider)
    if only_differing:
        query = query.where(Webhook.differed_at.is_not(None))
    return (await session.execute(paged(query, Webhook.id, after=after, limit=limit))).all()
