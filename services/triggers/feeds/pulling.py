"""Pulling feeds: one at each step, by whichever worker leases it first.

Claim, ask, read, record, and say what came of it: no transaction is open while somebody else is
waited for. A worker that dies leaves its feed to another once the lease is over; what it recorded
is known by then.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog
from yarl import URL

from services.triggers.checks.service import Checks
from services.triggers.feeds import repository
from services.triggers.feeds.document import FeedDocument, StaleBy
from services.triggers.feeds.fetching import Fetched, Fetcher, FetchFailed
from services.triggers.feeds.formats.atom import Entries, read_entries
from services.triggers.feeds.formats.reading import Reading, Setting, Unreadable
from services.triggers.feeds.outcomes import Alarm, Outcome
from services.triggers.feeds.reading import read, read_entries_of
from services.triggers.feeds.recording import Recorded, record
from services.triggers.feeds.repository import Claim, Standing
from services.triggers.feeds.service import FEEDS, setting_of
from services.triggers.observations import service as observations
from services.triggers.observations.repository import Hands
from shared.clock import Clock
from shared.contracts.events import FeedRecovered, FeedStale
from shared.database import Database
from shared.documents import service as documents
from shared.errors import Unavailable, account_of
from shared.events import publish
from shared.liveness import goes_on

log = structlog.get_logger()

_LEASE_SECONDS = 600
_LONGEST_SECONDS = 540
"""A pull is over before its lease is."""
_MAXIMUM_LINKS = 100
_REFUSALS_KEPT = 100
_FAILURES_BEFORE_ALARM = 3


@dataclass(kw_only=True)
class _Result:
    """What came of a pull."""

    outcome: Outcome
    status: int | None = None
    detail: str | None = None
    seen: int = 0
    recorded: Recorded = field(default_factory=Recorded)
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    again_after_seconds: float | None = None
    """How long the publisher asked to be left alone."""


class Pulling:
    """Pulls feeds that are due, and raises the alarm for those that are silent."""

    def __init__(
        self, database: Database, *, fetcher: Fetcher, checks: Checks, clock: Clock
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._checks = checks
        self._clock = clock

    async def step(self) -> int:
        """Pull one feed; 0 when none is due."""
        async with self._database.transaction() as session:
            claimed = await repository.claim(session, lease_seconds=_LEASE_SECONDS)
            if claimed is None:
                return 0
            version = await documents.get(session, FEEDS, claimed.code, claimed.version)
            setting = await setting_of(session, version.document, clock=self._clock)
        began_at = self._clock.now()
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                result = await self._pull(claimed, version.document, setting)
        except TimeoutError:
            result = _Result(
                outcome=Outcome.FAILED,
                detail=f"It was not read and recorded within {_LONGEST_SECONDS} seconds.",
            )
        except Unavailable as problem:
            result = _Result(outcome=Outcome.FAILED, detail=problem.detail)
        except Exception as error:
            # The feed's turn comes again, as after any failure, and its alarm does.
            log.error("feed_broke", feed=claimed.code, **account_of(error))
            result = _Result(
                outcome=Outcome.FAILED,
                detail="Something broke on our side. The operators find it in the worker's log.",
            )
        await self._finish(claimed, version.document, result, began_at=began_at)
        return 1

    async def look(self) -> int:
        """Raise the alarm for feeds that have been silent for longer than their documents say."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            silent = await repository.raise_silent(session, now=now)
            for row in silent:
                fact = FeedStale(
                    feed=row.code, version=row.version, because=Alarm.SILENT, last_new_at=row.new_at
                )
                await publish(session, fact, clock=self._clock)
        for row in silent:
            log.warning("feed_stale", feed=row.code, because=Alarm.SILENT)
        return len(silent)

    async def _pull(self, claimed: Claim, document: FeedDocument, setting: Setting) -> _Result:
        try:
            fetched = await self._fetcher.fetch(
                document.url,
                timeout_seconds=document.timeout_seconds,
                maximum_bytes=document.maximum_bytes,
                etag=claimed.etag,
                last_modified=claimed.last_modified,
            )
        except FetchFailed as error:
            return _Result(
                outcome=Outcome.FAILED,
                status=error.status,
                detail=str(error),
                again_after_seconds=error.again_after_seconds,
            )
        goes_on()
        result = _Result(
            outcome=Outcome.UNCHANGED,
            status=fetched.status,
            etag=fetched.etag or (claimed.etag if fetched.content is None else None),
            last_modified=fetched.last_modified
            or (claimed.last_modified if fetched.content is None else None),
            digest=claimed.digest if fetched.content is None else _digest(fetched.content),
        )
        has_links = document.format.kind == "cap-atom"
        if fetched.content is None or (result.digest == claimed.digest and not has_links):
            return result
        reading = await self._read(fetched, document, setting)
        goes_on()
        if reading.unreadable is not None:
            return replace(result, outcome=Outcome.UNREADABLE, detail=reading.unreadable)
        recorded = await record(
            self._database,
            reading,
            setting,
            keep=partial(
                observations.record,
                hands=Hands(posted_by=f"feed:{claimed.code}", published=True),
                clock=self._clock,
            ),
            checks=self._checks,
        )
        return replace(result, outcome=Outcome.READ, seen=reading.seen, recorded=recorded)

    async def _read(self, fetched: Fetched, document: FeedDocument, setting: Setting) -> Reading:
        content = fetched.content or b""
        # Beside the loop, where the other steps of the worker go on meanwhile.
        if document.format.kind != "cap-atom":
            return await asyncio.to_thread(read, content, document, setting)
        entries = await asyncio.to_thread(read_entries, content)
        if entries.unreadable is not None:
            return Reading.of_nothing(entries.unreadable)
        await self._follow_links(entries, document)
        return await asyncio.to_thread(read_entries_of, entries, document, setting)

    async def _follow_links(self, entries: Entries, document: FeedDocument) -> None:
        """Fetch the alerts that entries link to; one that does not come is refused alone."""
        bytes_left = document.maximum_bytes
        origin = URL(document.url).origin()
        for position, (where, link) in enumerate(entries.links):
            refusal = None
            if position >= _MAXIMUM_LINKS:
                refusal = f"It is beyond the {_MAXIMUM_LINKS} links that are followed."
            else:
                try:
                    url = URL(document.url).join(URL(link))
                    if url.origin() != origin:
                        raise FetchFailed("It links to another host, which is not followed.")
                    alert = await self._fetcher.fetch(
                        str(url),
                        timeout_seconds=document.timeout_seconds,
                        maximum_bytes=bytes_left,
                    )
                    content = alert.content or b""
                    bytes_left -= len(content)
                    entries.alerts.append((where, content))
                except ValueError:
                    refusal = "It links to no address."
                except FetchFailed as error:
                    refusal = str(error)
            if refusal is not None:
                entries.refused.append(Unreadable(where, refusal))
            goes_on()

    async def _finish(
        self, claimed: Claim, document: FeedDocument, result: _Result, *, began_at: datetime
    ) -> None:
        now = self._clock.now()
        is_well = result.outcome.is_well
        is_new = result.recorded.recorded > 0
        refused = result.recorded.refused
        async with self._database.transaction() as session:
            state = await repository.finish(
                session,
                claimed,
                is_well=is_well,
                is_new=is_new,
                every_seconds=document.every_minutes * 60,
                again_after_seconds=result.again_after_seconds,
                etag=result.etag,
                last_modified=result.last_modified,
                digest=result.digest,
                now=now,
            )
            if state is None:
                # Another worker leased it meanwhile, or a further version came into force.
                return
            await repository.add_pull(
                session,
                {
                    "feed_code": claimed.code,
                    "feed_version": claimed.version,
                    "began_at": began_at,
                    "ended_at": now,
                    "outcome": result.outcome,
                    "status": result.status,
                    "detail": result.detail,
                    "seen": result.seen,
                    "recorded": result.recorded.recorded,
                    "unchanged": result.recorded.unchanged,
                    "set_aside": result.recorded.set_aside,
                    "refused": len(refused),
                    "refusals": [
                        {"where": where, "reason": reason}
                        for where, reason in refused[:_REFUSALS_KEPT]
                    ],
                    "etag": result.etag,
                    "digest": result.digest,
                },
            )
            alarm = _alarm(state, document, is_well=is_well, is_new=is_new)
            if alarm is not state.alarm:
                await repository.set_alarm(session, claimed.code, alarm, now=now)
                await publish(session, _fact(claimed, alarm), clock=self._clock)
        if not is_well:
            log.warning(
                "feed_not_read",
                feed=claimed.code,
                outcome=result.outcome,
                status=result.status,
                failures=state.failures,
            )
        if alarm is not state.alarm:
            if alarm is None:
                log.info("feed_recovered", feed=claimed.code)
            else:
                log.warning("feed_stale", feed=claimed.code, because=alarm)


def _alarm(state: Standing, document: FeedDocument, *, is_well: bool, is_new: bool) -> Alarm | None:
    """What is wrong with a feed after a pull; what is silent stays so until it says something."""
    match state.alarm:
        case None | Alarm.FAILING if is_well:
            return None
        case Alarm.SILENT if is_new or (is_well and document.stale_by is StaleBy.ANSWER):
            return None
        case None if state.failures >= _FAILURES_BEFORE_ALARM:
            return Alarm.FAILING
        case before:
            return before


def _fact(claimed: Claim, alarm: Alarm | None) -> FeedStale | FeedRecovered:
    if alarm is None:
        return FeedRecovered(feed=claimed.code, version=claimed.version)
    return FeedStale(feed=claimed.code, version=claimed.version, because=alarm)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
