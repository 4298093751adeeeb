"""What is asked of the database about feeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.feeds.formats.reading import Row
from services.triggers.feeds.outcomes import Alarm
from services.triggers.feeds.tables import FeedPull, FeedState
from shared.retry import Backoff

AFTER_FAILURE = Backoff(first_seconds=30, longest_seconds=3_600)
_JITTER = 0.2
"""A part of every wait, at most, by which it is longer: so feeds do not all come at once."""

_WATCH = text(
    """
    INSERT INTO triggers.feed_state AS state (code, version, pull_at, watched_since)
    VALUES (:code, :version, CASE WHEN :enabled THEN clock_timestamp() END, :now)
    ON CONFLICT (code) DO UPDATE SET version = excluded.version, pull_at = excluded.pull_at,
        watched_since = excluded.watched_since, leased_until = NULL, failures = 0, etag = NULL,
        last_modified = NULL, digest = NULL,
        -- A new version has shown nothing yet: its first good pull ends the alarm, and tells so.
        alarm = CASE WHEN :enabled THEN state.alarm END,
        alarmed_at = CASE WHEN :enabled THEN state.alarmed_at END
    """
)

_CLAIM = text(
    """
    UPDATE triggers.feed_state AS state
    SET leased_until = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE code = (
        SELECT code FROM triggers.feed_state
        WHERE pull_at <= clock_timestamp()
          AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY pull_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING code, version, leased_until, etag, last_modified, digest
    """
)

_FINISH = text(
    f"""
    UPDATE triggers.feed_state AS state
    SET leased_until = NULL,
        failures = CASE WHEN :is_well THEN 0 ELSE failures + 1 END,
        pull_at = clock_timestamp() + make_interval(secs => (1 + {_JITTER} * random()) * CASE
            WHEN :is_well THEN :every_seconds
            ELSE greatest(
                least(CAST(:every_seconds AS float8), {AFTER_FAILURE.sql("failures")}),
                CAST(:again_after_seconds AS float8)
            )
        END),
        etag = CASE WHEN :is_well THEN CAST(:etag AS text) END,
        last_modified = CASE WHEN :is_well THEN CAST(:last_modified AS text) END,
        digest = CASE WHEN :is_well THEN CAST(:digest AS text) END,
        answered_at = CASE WHEN :is_well THEN :now ELSE answered_at END,
        new_at = CASE WHEN :is_new THEN :now ELSE new_at END
    WHERE code = :code AND leased_until = :leased_until
    RETURNING failures, alarm
    """
)

_SILENT = text(
    """
    UPDATE triggers.feed_state AS state
    SET alarm = 'silent', alarmed_at = :now
    FROM triggers.feed
    WHERE (feed.code, feed.version) = (state.code, state.version)
      AND state.pull_at IS NOT NULL
      AND state.alarm IS NULL
      AND greatest(
          state.watched_since,
          CASE feed.document ->> 'stale_by' WHEN 'answer' THEN answered_at ELSE new_at END
      ) < CAST(:now AS timestamptz)
          - make_interval(hours => CAST(feed.document ->> 'stale_after_hours' AS integer))
    RETURNING state.code, state.version, state.answered_at, state.new_at
    """
)

_KNOWN = text(
    """
    SELECT given.position, latest.value, latest.unit, latest.published_on, latest.issue
    FROM unnest(
        CAST(:areas AS text[]), CAST(:places AS text[]), CAST(:sources AS text[]),
        CAST(:observed AS date[]), CAST(:published AS date[]), CAST(:members AS integer[]),
        CAST(:spelt AS text[])
    ) WITH ORDINALITY
        AS given (area_code, place, source, observed_on, published_on, member, spelt, position)
    CROSS JOIN LATERAL (
        SELECT said.value, said.unit, said.published_on, said.issue
        FROM (
            SELECT observation.value, CAST(NULL AS text) AS unit, observation.published_on,
                   observation.issue
            FROM triggers.observation
            WHERE (indicator_code, observed_on, area_code, place, source)
                = (:indicator, given.observed_on, given.area_code, given.place, given.source)
              AND (issued_on IS NULL OR issued_on = given.published_on)
              AND observation.member IS NOT DISTINCT FROM given.member
            UNION ALL
            -- What was set aside was heard as well: it is not new each time that it is read.
            SELECT CAST(posted ->> 'value' AS numeric), posted ->> 'unit',
                   CAST(posted ->> 'published_on' AS date), CAST(posted ->> 'issue' AS integer)
            FROM triggers.doubtful_observation
            WHERE (indicator_code, observed_on) = (:indicator, given.observed_on)
              AND posted ->> 'area' = given.area_code
              AND coalesce(posted ->> 'place', '') = given.spelt
              AND posted ->> 'source' = given.source
              AND NOT CAST(:forecast AS boolean)
        ) AS said
        ORDER BY said.published_on DESC, said.issue DESC, said.value
        LIMIT 1
    ) AS latest
    """
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A feed that one worker pulls, with what it said last."""

    code: str
    version: int
    leased_until: datetime
    etag: str | None
    last_modified: str | None
    digest: str | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a feed stands after a pull, before its alarm is looked at."""

    failures: int
    alarm: Alarm | None


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known already of the thing that a row is about."""

    value: Decimal | None
    unit: str | None
    """In which it was set aside; None: the indicator's."""
    published_on: date
    issue: int


async def watch(
    session: AsyncSession, code: str, version: int, *, enabled: bool, now: datetime
) -> None:
    """Have a version pulled from now on, or no more; what earlier ones answered is forgotten."""
    await session.execute(
        _WATCH, {"code": code, "version": version, "enabled": enabled, "now": now}
    )


async def claim(session: AsyncSession, *, lease_seconds: float) -> Claim | None:
    """The feed that has been due for longest and that nobody pulls; None where none is."""
    row = (await session.execute(_CLAIM, {"lease_seconds": lease_seconds})).one_or_none()
    return Claim(**row._mapping) if row else None


async def finish(
    session: AsyncSession,
    claimed: Claim,
    *,
    is_well: bool,
    is_new: bool,
    every_seconds: float,
    again_after_seconds: float | None,
    etag: str | None,
    last_modified: str | None,
    digest: str | None,
    now: datetime,
) -> Standing | None:
    """Give the lease back; how the feed stands. None where it is another's by now."""
    row = (
        await session.execute(
            _FINISH,
            {
                "code": claimed.code,
                "leased_until": claimed.leased_until,
                "is_well": is_well,
                "is_new": is_new,
                "every_seconds": every_seconds,
                "again_after_seconds": again_after_seconds,
                "etag": etag,
                "last_modified": last_modified,
                "digest": digest,
                "now": now,
            },
        )
    ).one_or_none()
    if row is None:
        return None
    return Standing(failures=row.failures, alarm=Alarm(row.alarm) if row.alarm else None)


async def set_alarm(
    session: AsyncSession, code: str, alarm: Alarm | None, *, now: datetime
) -> None:
    """Raise an alarm, or take it back."""
    await session.execute(
        update(FeedState)
        .where(FeedState.code == code)
        .values(alarm=alarm, alarmed_at=now if alarm else None)
    )


async def raise_silent(session: AsyncSession, *, now: datetime) -> Sequence[SqlRow[Any]]:
    """Raise the alarm of every feed that has been silent for too long; those feeds."""
    return (await session.execute(_SILENT, {"now": now})).all()


async def pull_now(session: AsyncSession, code: str) -> bool:
    """Have a feed pulled as soon as a worker is free; whether it is one that is pulled."""
    due = await session.scalar(
        update(FeedState)
        .where(FeedState.code == code, FeedState.pull_at.is_not(None))
        .values(pull_at=text("clock_timestamp()"))
        .returning(FeedState.code)
    )
    return due is not None


async def pulled(session: AsyncSession) -> Sequence[FeedState]:
    """Every feed that is pulled, as it stands."""
    statement = select(FeedState).where(FeedState.pull_at.is_not(None)).order_by(FeedState.code)
    return (await session.scalars(statement)).all()


async def states(session: AsyncSession, codes: Sequence[str]) -> dict[str, FeedState]:
    """How feeds stand, by code."""
    rows = await session.scalars(select(FeedState).where(FeedState.code.in_(codes)))
    return {row.code: row for row in rows}


async def add_pull(session: AsyncSession, pull: Mapping[str, Any]) -> None:
    """Keep what came of a pull."""
    await session.execute(insert(FeedPull).values(**pull))


async def list_pulls(
    session: AsyncSession, code: str, *, below: int | None, limit: int
) -> Sequence[FeedPull]:
    """A feed's pulls, newest first, below a number."""
    statement = select(FeedPull).where(FeedPull.feed_code == code)
    if below is not None:
        statement = statement.where(FeedPull.sequence < below)
    statement = statement.order_by(FeedPull.sequence.desc()).limit(limit)
    return (await session.scalars(statement)).all()


async def known(
    session: AsyncSession,
    indicator: str,
    rows: Sequence[Row],
    *,
    places: Sequence[str | None],
    forecast: bool,
) -> dict[int, Known]:
    """What is known of the things that rows are about, by the rows' positions from 0.

    ``places`` are the rows' as they are kept: under which names figures of them are recorded.
    """
    found = await session.execute(
        _KNOWN,
        {
            "indicator": indicator,
            "areas": [row.area for row in rows],
            "places": [place or "" for place in places],
            "spelt": [row.place or "" for row in rows],
            "forecast": forecast,
            "sources": [row.source for row in rows],
            "observed": [row.observed_on for row in rows],
            "published": [row.published_on for row in rows],
            "members": [row.member for row in rows],
        },
    )
    return {
        row.position - 1: Known(
            value=row.value, unit=row.unit, published_on=row.published_on, issue=row.issue
        )
        for row in found
    }
