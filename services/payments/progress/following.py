"""Following activations: one reader of the database for each, whoever follows it here.

A follower holds the view that it was sent last, and no queue: one that does not read costs that
view and what lies in the buffers of its connection, and is told of the newest when it reads on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from services.payments.progress.changes import View
from services.payments.progress.schemas import ProgressOut
from services.payments.progress.service import narrow, read_standing
from services.payments.progress.standing import By, Standing
from shared.bounds import Bound
from shared.database import Database
from shared.errors import account_of
from shared.events.log import CHANNEL
from shared.retry import Backoff
from shared.streams import Places

log = structlog.get_logger()

FOLLOWERS = 64
"""At one process, at once."""
FOLLOWERS_EACH = 8
"""Of them with one token's subject."""
LOOK_SECONDS = 1.0
"""How often is looked where nothing is heard; states that tell no event are seen by that."""
_REST_SECONDS = 0.25
"""Between two looks, however much is heard."""
HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 900.0
"""After so long the follower comes again, with a token that is good then."""
RECENT = 16
"""Views that are remembered, for followers who come back."""
_WAKING = ("org.sangkroh.payments-", "org.sangkroh.entitlements-", "org.sangkroh.chunk-")
_AFTER_FAILURE = Backoff(first_seconds=0.5, longest_seconds=5)
_RECONNECT_SECONDS = 1.0
_BEAT = b": here\n\n"
_COME_AGAIN = b"retry: 2000\n\n"


@dataclass(frozen=True, slots=True)
class Grouped:
    """By what a follower has counts told apart, and the districts that they are told of."""

    by: By | None = None
    bound: Bound = None


class Watched:
    """An activation while somebody follows it, and what it was lately."""

    def __init__(self, database: Database, activation_id: UUID) -> None:
        self.followers = 0
        self._database = database
        self._activation_id = activation_id
        self._heard = asyncio.Event()
        self._news = asyncio.Event()
        self._standing: Standing | None = None
        self._views: dict[Grouped, View] = {}
        self._recent: dict[Grouped, deque[View]] = {}
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Read how it stands, and wake the followers; raises NotFound where there is nothing."""
        async with self._database.reading() as session:
            self._standing = await read_standing(session, self._activation_id)
        self._views.clear()
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def begin(self) -> None:
        """Have it read once, by whoever comes first."""
        async with self._looking:
            if self._standing is None:
                await self.look()

    def view(self, what: Grouped) -> View:
        """How it stands now; raises NotFound where nothing of it is in whoever's areas."""
        assert self._standing is not None
        if what not in self._views:
            standing = narrow(self._standing, what.bound)
            view = View.of(ProgressOut.of(self._activation_id, standing, by=what.by))
            self._views[what] = view
            recent = self._recent.setdefault(what, deque(maxlen=RECENT))
            if not recent or recent[-1].id != view.id:
                recent.append(view)
        return self._views[what]

    def recent(self, what: Grouped, event_id: str | None) -> View | None:
        """What it was when that event was sent; None where that is not remembered."""
        known = self._recent.get(what, ())
        return next((view for view in reversed(known) if view.id == event_id), None)

    @property
    def news(self) -> asyncio.Event:
        """Set at the next look."""
        return self._news

    def hear(self) -> None:
        """Look at it now."""
        self._heard.set()

    async def watch(self) -> None:
        """Look at it again and again, until cancelled."""
        failures = 0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), LOOK_SECONDS)
            self._heard.clear()
            try:
                await self.look()
                failures = 0
                await asyncio.sleep(_REST_SECONDS)
            except Exception as error:
                log.warning("activation_not_looked_at", **account_of(error))
                await asyncio.sleep(_AFTER_FAILURE.seconds(failures))
                failures += 1


class Following:
    """Everybody who follows an activation at this process."""

    def __init__(self, database: Database, *, places: Places, ending: asyncio.Event) -> None:
        self._database = database
        self._places = places
        self._ending = ending
        self._watched: dict[UUID, Watched] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._all: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Meanwhile activations can be followed; what looked at them has ended afterwards."""
        try:
            yield
        finally:
            for task in self._all:
                task.cancel()
            await asyncio.gather(*self._all, return_exceptions=True)

    @asynccontextmanager
    async def pieces(
        self, activation_id: UUID, *, what: Grouped, last_event_id: str | None, caller: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The events of a follower; raises NotFound, and Busy where too many follow."""
        async with (
            self._places.held(caller),
            self._watching(activation_id) as watched,
            aclosing(self._events(watched, what, last_event_id)) as events,
        ):
            # Before the answer begins, whoever is told nothing is told so.
            watched.view(what)
            yield events

    async def is_over(self, activation_id: UUID, *, what: Grouped, last_event_id: str) -> bool:
        """Whether a follower was sent the end of it. Raises NotFound."""
        watched = Watched(self._database, activation_id)
        await watched.begin()
        view = watched.view(what)
        return view.at_rest and view.id == last_event_id

    @asynccontextmanager
    async def _watching(self, activation_id: UUID) -> AsyncIterator[Watched]:
        watched = self._watched.setdefault(activation_id, Watched(self._database, activation_id))
        watched.followers += 1
        try:
            await watched.begin()
            if activation_id not in self._tasks:
                self._tasks[activation_id] = self._begun(watched.watch())
            if self._listening is None:
                self._listening = self._begun(self._listen())
            yield watched
        finally:
            watched.followers -= 1
            if not watched.followers:
                self._watched.pop(activation_id)
                if task := self._tasks.pop(activation_id, None):
                    task.cancel()
            if not self._watched and self._listening is not None:
                self._listening.cancel()
                self._listening = None

    def _begun(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._all.add(task)
        task.add_done_callback(self._all.discard)
        return task

    async def _events(
        self, watched: Watched, what: Grouped, last_event_id: str | None
    ) -> AsyncGenerator[bytes]:
        yield _COME_AGAIN
        news = watched.news
        now = watched.view(what)
        sent = now if now.id == last_event_id else watched.recent(what, last_event_id)
        if sent is None:
            yield now.snapshot()
            sent = now
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_SECONDS
        while True:
            now = watched.view(what)
            if now.id != sent.id:
                yield now.change(sent)
                sent = now
            if now.at_rest:
                yield now.end()
                return
            beat_at = loop.time() + HEARTBEAT_SECONDS
            while now.id == sent.id and not now.at_rest:
                if self._ending.is_set() or loop.time() >= until:
                    return
                if not await _either(news, self._ending, seconds=beat_at - loop.time()):
                    yield _BEAT
                    beat_at = loop.time() + HEARTBEAT_SECONDS
                news = watched.news
                now = watched.view(what)

    async def _listen(self) -> None:
        """Have activations looked at as soon as something is told. Without it they still are."""
        while True:
            try:
                async with self._database.connection() as connection:
                    await connection.add_listener(CHANNEL, self._on_events)
                    gone = asyncio.Event()
                    connection.add_termination_listener(lambda _, gone=gone: gone.set())
                    await gone.wait()
            except Exception as error:
                log.warning("following_by_looking", **account_of(error))
            await asyncio.sleep(_RECONNECT_SECONDS)

    def _on_events(self, _: object, __: int, ___: str, types: object) -> None:
        if any(name.startswith(_WAKING) for name in str(types).split(",")):
            for watched in self._watched.values():
                watched.hear()


async def _either(*events: asyncio.Event, seconds: float) -> bool:
    """Whether one of the events is set within so long."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(
            waiting, timeout=max(0, seconds), return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for task in waiting:
            task.cancel()
    return bool(done)
