"""SQL of alarms about subscriptions: whoever is not reached, or wants no more.

Deliveries are counted by technical time. An alarm ends when the receiver has taken something, or
the subscription is ended; of one that is disabled, when another to the same address is active, or
by a person who has looked.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import RAISE_AGAIN
from services.payments.alarms.tables import AlarmKind

NOT_REACHED_SECONDS = 900
"""For how long a receiver takes nothing until that is an alarm: the third attempt has failed."""

# What was attempted since the receiver took something last.
_IN_VAIN = """
    SELECT min(delivery.made_at) AS since, count(*) AS deliveries,
        (array_agg(delivery.answer_status ORDER BY delivery.attempted_at DESC))[1] AS answer_status
    FROM payments.delivery
    WHERE delivery.subscription_id = subscription.id
      AND delivery.status IN ('waiting', 'failed') AND delivery.attempts > 0
      AND delivery.attempted_at > coalesce(
          (
              SELECT max(taken.finished_at) FROM payments.delivery AS taken
              WHERE taken.subscription_id = subscription.id AND taken.status = 'delivered'
          ),
          '-infinity'
      )
"""

_RAISE_FAILING = text(
    f"""
    INSERT INTO payments.alarm (subscription_id, kind, detail, raised_at)
    SELECT subscription.id, '{AlarmKind.SUBSCRIPTION_FAILING}',
        in_vain.deliveries || ' events wait for ' || subscription.name || ', or were given up, '
            || 'and it has taken none since '
            || to_char(in_vain.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC ('
            || coalesce('it answered ' || in_vain.answer_status, 'it did not answer')
            || '). Tell its engineers; GET /v1/deliveries?subscription_id=' || subscription.id
            || ' says more. This ends by itself when it takes one, or with DELETE '
            || '/v1/subscriptions/' || subscription.id || '.',
        CAST(:now AS timestamptz)
    FROM payments.subscription
    CROSS JOIN LATERAL ({_IN_VAIN}) AS in_vain
    WHERE subscription.status = 'active'
      AND in_vain.since <= clock_timestamp() - interval '{NOT_REACHED_SECONDS} seconds'
      AND NOT EXISTS (
          SELECT FROM payments.alarm
          WHERE alarm.subscription_id = subscription.id
            AND alarm.kind = '{AlarmKind.SUBSCRIPTION_FAILING}' AND alarm.cleared_at IS NULL
      )
    ON CONFLICT (subscription_id, kind) WHERE subscription_id IS NOT NULL {RAISE_AGAIN}
    RETURNING subscription_id
    """
)

# Raised once: it is disabled once, and a person who has looked has looked for good.
_RAISE_DISABLED = text(
    f"""
    INSERT INTO payments.alarm (subscription_id, kind, detail, raised_at)
    SELECT subscription.id, '{AlarmKind.SUBSCRIPTION_DISABLED}',
        subscription.name || ' is sent nothing any more: ' || subscription.ended_because
            || ' Ask its engineers. Where it wants events, it is proposed anew with POST '
            || '/v1/subscriptions; otherwise clear this.',
        CAST(:now AS timestamptz)
    FROM payments.subscription
    WHERE subscription.status = 'disabled'
      AND NOT EXISTS (
          SELECT FROM payments.alarm
          WHERE alarm.subscription_id = subscription.id
            AND alarm.kind = '{AlarmKind.SUBSCRIPTION_DISABLED}'
      )
      AND NOT EXISTS (
          SELECT FROM payments.subscription AS later
          WHERE later.url = subscription.url AND later.status = 'active'
      )
    RETURNING subscription_id
    """
)

_CLEAR = text(
    f"""
    UPDATE payments.alarm SET cleared_at = CAST(:now AS timestamptz)
    FROM payments.subscription
    CROSS JOIN LATERAL ({_IN_VAIN}) AS in_vain
    WHERE subscription.id = alarm.subscription_id AND alarm.cleared_at IS NULL
      AND CASE alarm.kind
          WHEN '{AlarmKind.SUBSCRIPTION_FAILING}'
              THEN subscription.status <> 'active' OR in_vain.since IS NULL
          ELSE EXISTS (
              SELECT FROM payments.subscription AS later
              WHERE later.url = subscription.url AND later.status = 'active'
          )
      END
    RETURNING number
    """
)


async def raise_and_clear(session: AsyncSession, *, now: datetime) -> dict[AlarmKind, int]:
    """Raise and clear alarms about subscriptions; how many were raised of each kind."""
    given = {"now": now}
    await session.execute(_CLEAR, given)
    failing = (await session.execute(_RAISE_FAILING, given)).all()
    disabled = (await session.execute(_RAISE_DISABLED, given)).all()
    return {
        AlarmKind.SUBSCRIPTION_FAILING: len(failing),
        AlarmKind.SUBSCRIPTION_DISABLED: len(disabled),
    }
