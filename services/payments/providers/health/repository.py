"""SQL of how providers answer: kept by each worker, and merged.

Whatever order workers keep in, the outcome is the same: the last reply of all of them decides
since when a provider fails.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

WINDOW_MINUTES = 5
"""Over how many minutes rates are told: the last of them is under way."""

_KEEP = text(
    """
    INSERT INTO payments.provider_health AS kept (provider_number, last_reply_at, last_failure_at,
        last_failure, failing_since)
    SELECT provider_number, now() - make_interval(secs => reply_age),
        now() - make_interval(secs => failure_age), failure,
        now() - make_interval(secs => failing_age)
    FROM unnest(CAST(:provider_numbers AS smallint[]), CAST(:reply_ages AS float[]),
            CAST(:failure_ages AS float[]), CAST(:failures_told AS text[]),
            CAST(:failing_ages AS float[]))
        AS given (provider_number, reply_age, failure_age, failure, failing_age)
    ORDER BY provider_number
    ON CONFLICT (provider_number) DO UPDATE SET
        last_reply_at = greatest(kept.last_reply_at, excluded.last_reply_at),
        last_failure = CASE
            WHEN excluded.last_failure_at >= coalesce(kept.last_failure_at, '-infinity')
                THEN excluded.last_failure
            ELSE kept.last_failure
        END,
        last_failure_at = greatest(kept.last_failure_at, excluded.last_failure_at),
        failing_since = (
            SELECT min(since)
            FROM (
                VALUES (kept.failing_since), (excluded.failing_since), (kept.last_failure_at),
                    (excluded.last_failure_at)
            ) AS failing (since)
            WHERE since > coalesce(
                greatest(kept.last_reply_at, excluded.last_reply_at), '-infinity'
            )
        )
    """
)

_COUNT = text(
    """
    INSERT INTO payments.provider_minute AS kept (provider_number, minute, replies, failures,
        sent_minor)
    SELECT provider_number, date_trunc('minute', now()), replies, failures, sent_minor
    FROM unnest(CAST(:provider_numbers AS smallint[]), CAST(:replies AS integer[]),
            CAST(:failures AS integer[]), CAST(:sent AS bigint[]))
        AS given (provider_number, replies, failures, sent_minor)
    ORDER BY provider_number
    ON CONFLICT (provider_number, minute) DO UPDATE SET
        replies = kept.replies + excluded.replies,
        failures = kept.failures + excluded.failures,
        sent_minor = kept.sent_minor + excluded.sent_minor
    """
)

IS_DOWN = f"""
    health.last_failure_at
        >= health.failing_since + make_interval(secs => :provider_down_seconds)
    AND health.last_failure_at > now() - interval '{WINDOW_MINUTES} minutes'
"""
"""It failed again and again for long enough, has told nothing since, and is still being asked."""

RECENT = f"""
    SELECT coalesce(sum(replies), 0)::bigint AS replies,
        coalesce(sum(failures), 0)::bigint AS failures,
        coalesce(sum(sent_minor), 0)::bigint AS sent_minor,
        extract(epoch FROM now() - min(minute))::float AS seconds
    FROM payments.provider_minute
    WHERE provider_minute.provider_number = provider.number
      AND minute > now() - interval '{WINDOW_MINUTES} minutes'
"""
"""What a provider answered lately; within a query of providers."""


async def keep(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Merge what a worker noted: a row for each provider, with ages in seconds."""
    await session.execute(
        _KEEP,
        {
            "provider_numbers": [row["provider_number"] for row in rows],
            "reply_ages": [row["reply_age_seconds"] for row in rows],
            "failure_ages": [row["failure_age_seconds"] for row in rows],
            "failures_told": [row["failure"] for row in rows],
            "failing_ages": [row["failing_age_seconds"] for row in rows],
        },
    )
    await session.execute(
        _COUNT,
        {
            "provider_numbers": [row["provider_number"] for row in rows],
            "replies": [row["replies"] for row in rows],
            "failures": [row["failures"] for row in rows],
            "sent": [row["sent_minor"] for row in rows],
        },
    )
