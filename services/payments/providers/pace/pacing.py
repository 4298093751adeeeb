"""One provider's pace, as a worker keeps it together with all others.

A worker takes what its waiting requests need in sets, from the database, and never keeps what it
does not use: tokens for requests that leave now, and places for requests under way, under a lease.
Whoever dies or is stopped loses its places with the lease; a request only leaves where it ends
before that. The bound that holds: in any span of time no more requests leave than the burst and
what comes in that span, ``TOKEN_SECONDS`` and the time that the database took to answer; never more
are under way than may be at once.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

import structlog

from services.payments.providers.pace.allowance import Allowance, Taken
from services.payments.providers.pace.turns import PacedAdapter
from services.payments.providers.protocol import Adapter, Permit
from shared.errors import Explained, told

log = structlog.get_logger()

TOKEN_SECONDS = 0.25
"""For how long a token may be used once it is here."""
_LONGEST_TOKEN_SECONDS = 5.0
"""Counted from when it was asked for: a process that was stopped meanwhile asks again."""
LEASE_BEYOND_SECONDS = 10.0
"""For how long a request may begin under a lease; the lease lasts until the last has ended."""
_ASK_AGAIN_SECONDS = 0.1
_NO_PLACE_SECONDS = 0.25
_LONGEST_ASK_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 30.0
"""How long a question waits for its turn: it is asked again later."""
_AHEAD_SECONDS = 2.0
"""No more is begun ahead than leaves in so long."""


class NotPaced(Explained):
    """A provider's settings give a pace to what has no requests."""


class Pace:
    """One provider's pace, as this worker keeps it.

    ``draw`` gives numbers from 0 to 1: workers that wait for the same do not come at the same
    moment.
    """

    def __init__(
        self,
        allowance: Allowance,
        *,
        now: Callable[[], float],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._allowance = allowance
        self._per_second = allowance.pace.requests_per_second
        self._at_once = allowance.pace.requests_at_once
        self._now = now
        self._draw = draw
        self._asking = asyncio.Lock()
        self._freed = asyncio.Event()
        self._ask_at = float("-inf")
        self._waiting = 0
        self._under_way = 0
        self._tokens = 0
        self._tokens_until = float("-inf")
        self._places = 0
        self._held = 0
        self._leave_before = float("-inf")
        self._rests_until = float("-inf")
        self._later_seconds = draw() * _LONGEST_ASK_SECONDS
        self._untold: tuple[float, str] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether the settings give a rate, or a number of requests at once."""
        return self._allowance.pace.is_paced

    @property
    def resting(self) -> bool:
        """Whether the provider asked to be left alone, this worker or another."""
        return self._now() < self._rests_until

    def rest(self, seconds: float, *, reason: str) -> None:
        """The provider asks to be left alone for so long, and gives that as the reason, a code."""
        until = self._now() + seconds
        if seconds > 0 and until > self._rests_until:
            self._rests_until = until + self._later_seconds
            self._untold = until, reason

    def hear(self, seconds: float) -> None:
        """Another worker was asked to leave it alone, for so much longer."""
        until = self._now() + seconds + self._later_seconds
        self._rests_until = max(self._rests_until, until)

    async def untold(self) -> tuple[int, float, str] | None:
        """What other workers have not heard: the provider's number, for how long, and why."""
        if self._untold is None:
            return None
        number = await self._allowance.number()
        (until, reason), self._untold = self._untold, None
        seconds = until - self._now()
        return (number, seconds, reason) if seconds > 0 else None

    async def number(self) -> int:
        """The provider's number in the database."""
        return await self._allowance.number()

    async def most_ahead(self) -> int | None:
        """How many payments, or questions, to begin now at most; None: that is not limited.

        0 where other workers have every place: what is claimed here would only wait.
        """
        if self._at_once is not None and not self._has_place():
            async with self._asking:
                if not self._has_place() and self._ask_at <= self._now():
                    await self._take(tokens=0, places=max(1, self._under_way + self._waiting))
            if not self._places and not self._under_way:
                return 0
        by_rate = None if self._per_second is None else int(self._per_second * _AHEAD_SECONDS)
        by_places = None if self._at_once is None else 2 * self._at_once
        limits = [max(1, limit) for limit in (by_rate, by_places) if limit is not None]
        return min(limits, default=None)

    async def turn(self, permit: Permit | None) -> str | None:
        """Wait until a request may leave, and count it; why it may not, as a code."""
        gives_up_at = self._now() + _LONGEST_WAIT_SECONDS
        self._waiting += 1
        try:
            while True:
                if permit is not None and (refusal := permit.refusal()) is not None:
                    return refusal
                if self.resting:
                    return "provider_rests"
                if self._has_place() and self._has_token():
                    self._under_way += 1
                    self._tokens = max(0, self._tokens - 1)
                    return None
                if permit is None and self._now() > gives_up_at:
                    return "no_turn_in_time"
                await self._wait(permit)
        finally:
            self._waiting -= 1

    def end(self) -> None:
        """A request that had its turn is not under way any more."""
        self._under_way -= 1
        self._freed.set()

    async def give_back(self) -> None:
        """Let others have what is not needed here."""
        if self._held <= max(self._under_way, self._places if self._waiting else 0):
            return
        async with self._asking:
            await self._take(tokens=0, places=self._under_way + self._waiting)

    async def leave(self) -> None:
        """Let others have everything: nothing leaves here any more."""
        if not self._held:
            return
        self._places = self._held = 0
        try:
            await self._allowance.leave()
        except Exception as error:
            # They lapse by themselves.
            log.warning("places_not_given_back", provider=self._allowance.code, error=told(error))

    def _has_place(self) -> bool:
        return self._at_once is None or (
            self._under_way < self._places and self._now() < self._leave_before
        )

    def _has_token(self) -> bool:
        return self._per_second is None or (self._tokens > 0 and self._now() < self._tokens_until)

    async def _wait(self, permit: Permit | None) -> None:
        """Wait for a place that is freed here, or ask the database for more. One at a time."""
        async with self._asking:
            self._freed.clear()
            # Whoever is not to leave any more holds up nobody behind.
            is_refused = permit is not None and permit.refusal() is not None
            if is_refused or self._may_go_on():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._ask_at - self._now())):
                    await self._freed.wait()
            if not self._may_go_on() and self._ask_at <= self._now():
                await self._take(tokens=self._waiting, places=self._under_way + self._waiting)

    def _may_go_on(self) -> bool:
        return self.resting or (self._has_place() and self._has_token())

    async def _take(self, *, tokens: int, places: int) -> None:
        """Take of the allowance; where the database is away, nothing leaves until it is back."""
        began, returned, under_way = self._now(), self._tokens, self._under_way
        # None begins while it is asked what may.
        self._tokens, self._places = 0, min(self._places, under_way)
        again_seconds = _LONGEST_ASK_SECONDS
        try:
            taken = await self._allowance.take(
                tokens=tokens, returned=returned, places=places, under_way=under_way
            )
        except Exception as error:
            log.warning("pace_not_known", provider=self._allowance.code, error=told(error))
        else:
            again_seconds = self._keep(taken, wanted=tokens, began=began)
        self._ask_at = self._now() + again_seconds * (0.75 + 0.5 * self._draw())

    def _keep(self, taken: Taken, *, wanted: int, began: float) -> float:
        """Keep what was taken; after how many seconds there may be more."""
        again_seconds = _ASK_AGAIN_SECONDS
        if taken.places is not None:
            self._places, self._held = taken.places.part, taken.places.held
            self._leave_before = began + LEASE_BEYOND_SECONDS
            if self._places <= self._under_way:
                # One of ours is freed first, as a rule, and that is seen at once.
                again_seconds = _NO_PLACE_SECONDS
        if taken.tokens is not None and self._per_second is not None:
            self._tokens = taken.tokens.count
            self._tokens_until = min(self._now() + TOKEN_SECONDS, began + _LONGEST_TOKEN_SECONDS)
            # Not so seldom that more comes meanwhile than the burst may save up.
            again_seconds = min(again_seconds, self._allowance.pace.burst / self._per_second / 2)
            if taken.tokens.count < wanted:
                missing_seconds = max(0.0, taken.tokens.missing) / self._per_second
                again_seconds = max(again_seconds, missing_seconds)
        return min(again_seconds, _LONGEST_ASK_SECONDS)


def keep(adapter: Adapter, pace: Pace) -> None:
    """Have an adapter's requests keep a pace; raises NotPaced where it has none, and one is set."""
    if isinstance(adapter, PacedAdapter):
        adapter.keep_pace(pace)
    elif pace.is_limited:
        raise NotPaced(
            f"Provider {adapter.code} takes no requests over a network: take requests_per_second, "
            "requests_burst and requests_at_once out of its settings in PAYMENTS_PROVIDERS."
        )
