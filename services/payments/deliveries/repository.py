"""SQL of deliveries: making them of events, claiming them, recording how they went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.deliveries.states import DeliveryStatus
from services.payments.deliveries.tables import Delivery
from services.payments.statements import AnyRow, AnySelect, paged
from services.payments.subscriptions.tables import Subscription
from shared.database import NOW
from shared.events.tables import event_table

# A UUID of version 8 over SHA-256: an event that is told to a subscription again, after the
# database has lost that it was, is told under the id that the receiver knows.
_ID = """
    CAST(overlay(overlay(
        left(encode(sha256(uuid_send(subscription.id) || uuid_send(event.id)), 'hex'), 32)
        PLACING '8' FROM 13 FOR 1) PLACING 'a' FROM 17 FOR 1) AS uuid)
"""

# The code of a place begins with the code of whatever it lies in.
_WANTED = """
    event.type = ANY (subscription.types)
    AND (
        subscription.areas = '{}'
        OR jsonb_typeof(event.data -> 'areas') IS DISTINCT FROM 'array'
        OR EXISTS (
            SELECT
            FROM jsonb_array_elements_text(event.data -> 'areas') AS told (area),
                unnest(subscription.areas) AS wanted (area)
            WHERE told.area = 'KH'
               OR starts_with(told.area, wanted.area)
               OR starts_with(wanted.area, told.area)
        )
    )
"""

_MAKE = text(
    f"""
    INSERT INTO payments.delivery (id, subscription_id, event_id, status)
    SELECT {_ID}, subscription.id, event.id, 'waiting'
    FROM payments.subscription
    JOIN events.event ON event.id = :event_id
    WHERE subscription.status = 'active'
      AND event.sequence > subscription.after_sequence
      AND {_WANTED}
    FOR SHARE OF subscription
    ON CONFLICT DO NOTHING
    """
)

_CLAIM = text(
    f"""
    WITH due AS (
        SELECT delivery.number, subscription.id AS subscription_id, subscription.url
        FROM payments.subscription
        LEFT JOIN unnest(CAST(:busy AS uuid[]), CAST(:rooms AS integer[]))
            AS known (subscription_id, room) ON known.subscription_id = subscription.id
        CROSS JOIN LATERAL (
            SELECT number
            FROM payments.delivery
            WHERE delivery.subscription_id = subscription.id AND delivery.status = 'waiting'
              AND delivery.next_attempt_at <= {NOW}
            ORDER BY delivery.next_attempt_at
            LIMIT coalesce(known.room, :room)
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS delivery
        WHERE subscription.status = 'active'
    ),
    claimed AS (
        UPDATE payments.delivery
        SET attempts = attempts + 1, attempted_at = clock_timestamp(),
            next_attempt_at = clock_timestamp() + make_interval(secs => :lease_seconds)
        FROM due
        WHERE delivery.number = due.number
        RETURNING delivery.number, delivery.id AS delivery_id, delivery.event_id,
            delivery.attempts, due.subscription_id, due.url
    )
    SELECT claimed.number, claimed.delivery_id, claimed.attempts, claimed.subscription_id,
        claimed.url, keys.ids AS key_ids, keys.sealed AS keys_sealed,
        event.id, event.type, event.source, event.subject, event.time, event.data
    FROM claimed
    JOIN events.event ON event.id = claimed.event_id
    CROSS JOIN LATERAL (
        SELECT array_agg(key.id ORDER BY key.id DESC) AS ids,
            array_agg(key.secret_sealed ORDER BY key.id DESC) AS sealed
        FROM payments.subscription_key AS key
        WHERE key.subscription_id = claimed.subscription_id
          AND coalesce(key.signs_until > clock_timestamp(), true)
    ) AS keys
    """
)

# Only by whoever claimed it last: an outcome that comes after the lease has ended says nothing of
# the attempt that is under way by now.
_RECORD = text(
    """
    WITH given AS (
        SELECT number, attempts, CAST(status AS payments.delivery_status) AS status, answer_status,
            detail, again_after_seconds
        FROM unnest(
            CAST(:numbers AS bigint[]), CAST(:attempts AS smallint[]), CAST(:statuses AS text[]),
            CAST(:answer_statuses AS smallint[]), CAST(:details AS text[]),
            CAST(:agains AS float8[])
        ) AS given (number, attempts, status, answer_status, detail, again_after_seconds)
    ),
    locked AS (
        SELECT number FROM payments.delivery
        WHERE number = ANY (CAST(:numbers AS bigint[]))
        ORDER BY number
        FOR NO KEY UPDATE
    )
    UPDATE payments.delivery
    SET status = given.status,
        finished_at = CASE WHEN given.status = 'waiting' THEN NULL ELSE clock_timestamp() END,
        next_attempt_at = CASE WHEN given.status = 'waiting'
            THEN clock_timestamp() + make_interval(secs => given.again_after_seconds) END,
        answer_status = given.answer_status,
        detail = given.detail
    FROM given
    JOIN locked USING (number)
    WHERE delivery.number = given.number AND delivery.attempts = given.attempts
      AND delivery.status = 'waiting'
    """
)

_COUNT_WANTED = text(
    f"""
    SELECT count(*)
    FROM (
        SELECT
        FROM payments.subscription
        JOIN events.event ON {_WANTED}
        WHERE subscription.id = :subscription_id
          AND event.time >= :since
          AND (CAST(:until AS timestamptz) IS NULL OR event.time < :until)
        LIMIT :most
    ) AS wanted
    """
)

# What waits, waits on. What was told before the subscription began is sent as well.
_REPLAY_WANTED = text(
    f"""
    INSERT INTO payments.delivery (id, subscription_id, event_id, status)
    SELECT {_ID}, subscription.id, event.id, 'waiting'
    FROM payments.subscription
    JOIN events.event ON {_WANTED}
    WHERE subscription.id = :subscription_id
      AND event.time >= :since
      AND (CAST(:until AS timestamptz) IS NULL OR event.time < :until)
    ORDER BY event.epoch, event.transaction_id, event.sequence
    ON CONFLICT (subscription_id, event_id) DO UPDATE
    SET status = 'waiting', attempts = 0, finished_at = NULL, answer_status = NULL, detail = NULL,
        next_attempt_at = clock_timestamp()
    WHERE delivery.status <> 'waiting'
    RETURNING true
    """
)

_REPLAY = text(
    """
    UPDATE payments.delivery
    SET status = 'waiting', attempts = 0, finished_at = NULL, answer_status = NULL, detail = NULL,
        next_attempt_at = clock_timestamp()
    WHERE id = :id AND status <> 'waiting'
    """
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went."""

    number: int
    attempts: int
    """Which attempt it was."""
    subscription_id: UUID
    status: DeliveryStatus
    answer_status: int | None = None
    detail: str | None = None
    again_after_seconds: float | None = None
    """Where it waits for another attempt."""
    gone: bool = False
    """The receiver wants no more of the subscription."""


_TYPE = select(event_table.c.type).where(event_table.c.id == Delivery.event_id).scalar_subquery()


async def make_deliveries(session: AsyncSession, event_id: UUID) -> None:
    """Have an event go to whoever wants it, once."""
    await session.execute(_MAKE, {"event_id": event_id})


async def claim(
    session: AsyncSession,
    rooms: Mapping[UUID, int],
    *,
    room: int,
    lease_seconds: float,
) -> Sequence[AnyRow]:
    """Take what is due, of each subscription the longest due: so many of each (``rooms``), ``room``
    of one that is not among them. It is due again after the lease, unless recorded before."""
    rows = await session.execute(
        _CLAIM,
        {
            "busy": list(rooms),
            "rooms": list(rooms.values()),
            "room": room,
            "lease_seconds": lease_seconds,
        },
    )
    return rows.all()


async def record(session: AsyncSession, outcomes: Sequence[Outcome]) -> None:
    """Keep how attempts went."""
    await session.execute(
        _RECORD,
        {
            "numbers": [outcome.number for outcome in outcomes],
            "attempts": [outcome.attempts for outcome in outcomes],
            "statuses": [outcome.status.value for outcome in outcomes],
            "answer_statuses": [outcome.answer_status for outcome in outcomes],
            "details": [outcome.detail for outcome in outcomes],
            "agains": [outcome.again_after_seconds for outcome in outcomes],
        },
    )


async def count_wanted(
    session: AsyncSession,
    subscription_id: UUID,
    *,
    since: datetime,
    until: datetime | None,
    most: int,
) -> int:
    """How many events of a time a subscription asks for; ``most`` at most."""
    given = {"subscription_id": subscription_id, "since": since, "until": until, "most": most}
    return int(await session.scalar(_COUNT_WANTED, given))


async def replay_wanted(
    session: AsyncSession, subscription_id: UUID, *, since: datetime, until: datetime | None
) -> int:
    """Have every event of a time that a subscription asks for be sent; how many that did not wait
    for it already. The subscription is locked."""
    given = {"subscription_id": subscription_id, "since": since, "until": until}
    return len((await session.execute(_REPLAY_WANTED, given)).all())


async def replay(session: AsyncSession, delivery_id: UUID) -> None:
    """Have a delivery be made again, unless it waits to be. Its subscription is locked."""
    await session.execute(_REPLAY, {"id": delivery_id})


async def list_deliveries(
    session: AsyncSession,
    *,
    subscription_id: UUID | None,
    status: DeliveryStatus | None,
    proposed_by: str | None,
    after: int | None,
    limit: int,
) -> Sequence[AnyRow]:
    """Deliveries in the order in which they were made; what is None does not narrow."""
    query = _shown(proposed_by)
    if subscription_id is not None:
        query = query.where(Delivery.subscription_id == subscription_id)
    if status is not None:
        # The state stands in the statement, so that the partial indexes on it can be used.
        query = query.where(text(f"delivery.status = '{status}'"))
    return (await session.execute(paged(query, Delivery.number, after=after, limit=limit))).all()


async def find_delivery(
    session: AsyncSession, delivery_id: UUID, *, proposed_by: str | None
) -> AnyRow | None:
    """A delivery; ``proposed_by``: only if they proposed its subscription."""
    query = _shown(proposed_by).where(Delivery.id == delivery_id)
    return (await session.execute(query)).one_or_none()


def _shown(proposed_by: str | None) -> AnySelect:
    query = select(
        Delivery.number,
        Delivery.id,
        Delivery.subscription_id,
        Delivery.event_id,
        _TYPE.label("type"),
        Delivery.status,
        Delivery.attempts,
        Delivery.made_at,
        Delivery.attempted_at,
        Delivery.next_attempt_at,
        Delivery.finished_at,
        Delivery.answer_status,
        Delivery.detail,
    )
    if proposed_by is None:
        return query
    return query.join(Subscription, Subscription.id == Delivery.subscription_id).where(
        Subscription.proposed_by == proposed_by
    )
