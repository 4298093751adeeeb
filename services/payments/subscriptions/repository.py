"""SQL of subscriptions and of the keys that sign for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.statements import AnyRow, paged
from services.payments.subscriptions.states import SubscriptionStatus
from services.payments.subscriptions.tables import SubscriptionKey

_SHOWN = """
    SELECT subscription.id, subscription.name, subscription.url, subscription.types,
        subscription.areas, subscription.signing, subscription.status, subscription.proposed_by,
        subscription.approved_by, subscription.began_at, subscription.ended_at,
        subscription.ended_because, waiting.deliveries AS waiting,
        waiting.oldest_at AS oldest_waiting_at,
        (SELECT count(*) FROM payments.delivery
         WHERE delivery.subscription_id = subscription.id AND delivery.status = 'failed') AS failed
    FROM payments.subscription
    CROSS JOIN LATERAL (
        SELECT count(*) AS deliveries, min(made_at) AS oldest_at
        FROM payments.delivery
        WHERE delivery.subscription_id = subscription.id AND delivery.status = 'waiting'
    ) AS waiting
"""

_LIST = text(
    f"""
    {_SHOWN}
    WHERE (CAST(:after AS uuid) IS NULL OR subscription.id > :after)
      AND (CAST(:status AS text) IS NULL OR CAST(subscription.status AS text) = :status)
      AND (CAST(:proposed_by AS text) IS NULL OR subscription.proposed_by = :proposed_by)
    ORDER BY subscription.id
    LIMIT :limit
    """
)

_FIND = text(
    f"""
    {_SHOWN}
    WHERE subscription.id = :id
      AND (CAST(:proposed_by AS text) IS NULL OR subscription.proposed_by = :proposed_by)
    """
)

_COUNT_ACTIVE = text("SELECT count(*) FROM payments.subscription WHERE status = 'active'")

_BEGIN = text(
    """
    INSERT INTO payments.subscription (id, name, url, types, areas, signing, status, after_sequence,
        proposed_by, approved_by, began_at)
    SELECT :id, :name, :url, CAST(:types AS text[]), CAST(:areas AS text[]),
        CAST(:signing AS payments.signing), 'active',
        coalesce((SELECT max(sequence) FROM events.event), 0), :proposed_by, :approved_by, :began_at
    """
)

_ADD_KEY = text(
    """
    INSERT INTO payments.subscription_key (id, subscription_id, secret_sealed, public_key, made_by)
    VALUES (:id, :subscription_id, :secret_sealed, :public_key, :made_by)
    """
)

_LET_KEYS_SIGN_UNTIL = text(
    """
    UPDATE payments.subscription_key
    SET signs_until = clock_timestamp() + make_interval(hours => :hours)
    WHERE subscription_id = :subscription_id
      AND (signs_until IS NULL
           OR signs_until > clock_timestamp() + make_interval(hours => :hours))
    """
)

_LOCK_ACTIVE = text(
    "SELECT signing FROM payments.subscription WHERE id = :id AND status = 'active' "
    "FOR NO KEY UPDATE"
)

_END = text(
    """
    UPDATE payments.subscription
    SET status = CAST(:status AS payments.subscription_status), ended_at = :at,
        ended_because = :because
    WHERE id = :id AND status = 'active'
    RETURNING true
    """
)

# Whoever makes deliveries holds the subscription: those that were made meanwhile are seen here.
_STOP_DELIVERIES = text(
    """
    WITH waiting AS (
        SELECT number FROM payments.delivery
        WHERE subscription_id = :id AND status = 'waiting'
        ORDER BY number
        FOR NO KEY UPDATE
    )
    UPDATE payments.delivery
    SET status = 'stopped', finished_at = clock_timestamp(), next_attempt_at = NULL
    FROM waiting
    WHERE delivery.number = waiting.number AND delivery.status = 'waiting'
    """
)


_KEYS = select(
    SubscriptionKey.id,
    SubscriptionKey.secret_sealed,
    SubscriptionKey.public_key,
    SubscriptionKey.made_by,
    SubscriptionKey.made_at,
    SubscriptionKey.signs_until,
)


async def list_subscriptions(
    session: AsyncSession,
    *,
    status: SubscriptionStatus | None,
    proposed_by: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[AnyRow]:
    """Subscriptions, the oldest first; what is None does not narrow."""
    rows = await session.execute(
        _LIST, {"status": status, "proposed_by": proposed_by, "after": after, "limit": limit}
    )
    return rows.all()


async def find_subscription(
    session: AsyncSession, subscription_id: UUID, *, proposed_by: str | None
) -> AnyRow | None:
    """A subscription; ``proposed_by``: only if they proposed it."""
    rows = await session.execute(_FIND, {"id": subscription_id, "proposed_by": proposed_by})
    return rows.one_or_none()


async def count_active(session: AsyncSession) -> int:
    """How many subscriptions are sent to."""
    return int(await session.scalar(_COUNT_ACTIVE))


async def begin(
    session: AsyncSession,
    *,
    id: UUID,
    name: str,
    url: str,
    types: Sequence[str],
    areas: Sequence[str],
    signing: str,
    proposed_by: str,
    approved_by: str,
    began_at: datetime,
) -> None:
    """Have events be sent that are told from now on."""
    await session.execute(
        _BEGIN,
        {
            "id": id,
            "name": name,
            "url": url,
            "types": types,
            "areas": areas,
            "signing": signing,
            "proposed_by": proposed_by,
            "approved_by": approved_by,
            "began_at": began_at,
        },
    )


async def add_key(
    session: AsyncSession,
    subscription_id: UUID,
    *,
    id: UUID,
    secret_sealed: bytes,
    public_key: str | None,
    made_by: str,
) -> None:
    """Keep a key that signs from now on."""
    await session.execute(
        _ADD_KEY,
        {
            "id": id,
            "subscription_id": subscription_id,
            "secret_sealed": secret_sealed,
            "public_key": public_key,
            "made_by": made_by,
        },
    )


async def let_keys_sign(session: AsyncSession, subscription_id: UUID, *, hours: int) -> None:
    """Have the keys that there are sign for so long yet, at most."""
    given = {"subscription_id": subscription_id, "hours": hours}
    await session.execute(_LET_KEYS_SIGN_UNTIL, given)


async def list_keys(
    session: AsyncSession, subscription_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """The keys that sign, the oldest first."""
    query = _KEYS.where(
        SubscriptionKey.subscription_id == subscription_id,
        text("coalesce(signs_until > clock_timestamp(), true)"),
    )
    return (await session.execute(paged(query, SubscriptionKey.id, after=after, limit=limit))).all()


async def get_key(session: AsyncSession, key_id: UUID) -> AnyRow:
    """A key that there is."""
    return (await session.execute(_KEYS.where(SubscriptionKey.id == key_id))).one()


async def lock_active(session: AsyncSession, subscription_id: UUID) -> str | None:
    """Lock a subscription that is active; how it is signed, or None where it is not active."""
    signing: str | None = await session.scalar(_LOCK_ACTIVE, {"id": subscription_id})
    return signing


async def end(
    session: AsyncSession,
    subscription_id: UUID,
    status: SubscriptionStatus,
    *,
    because: str,
    at: datetime,
) -> bool:
    """Send nothing more, nor what waits; whether it was active until now."""
    given = {"id": subscription_id, "status": status, "because": because, "at": at}
    ended = await session.scalar(_END, given)
    if ended:
        await session.execute(_STOP_DELIVERIES, {"id": subscription_id})
    return bool(ended)
