"""Whether a provider is to be left alone for a while: no hot loop against one that is down."""

import random
import time
from collections.abc import Callable

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.pace.pacing import Pace
from shared.retry import Backoff, Spread

_BAD_ANSWERS_IN_A_ROW = 8


class Pausing:
    """Counts bad answers in a row; after eight it pauses, longer each time.

    That is what this worker sees of the provider: another may reach it. What the provider asks for
    by itself holds for all of them, and is with its ``pace``.
    """

    def __init__(
        self,
        pauses: Backoff,
        *,
        pace: Pace | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._first_seconds = pauses.first_seconds
        self._lengths = Spread(pauses, draw=draw)
        self._pace = pace
        self._bad_in_a_row = 0
        self._pauses = 0
        self._paused_until = float("-inf")

    @property
    def paused(self) -> bool:
        rests = self._pace is not None and self._pace.resting
        return rests or time.monotonic() < self._paused_until

    @property
    def probing(self) -> bool:
        """It was paused and has not answered well since: one request shows whether it does."""
        return self._pauses > 0

    def note(self, answer: Answer) -> None:
        """Take one answer into account."""
        if answer.kind not in (AnswerKind.UNSENDABLE, AnswerKind.NOT_SENT):
            self.note_reply(unwell=answer.provider_unwell)

    def rest(self, seconds: float | None) -> None:
        """Leave it alone for as long as it asks; None: for as long as a first pause."""
        asked = self._first_seconds if seconds is None else seconds
        self._paused_until = max(self._paused_until, time.monotonic() + asked)

    def note_reply(self, *, unwell: bool) -> None:
        """Take one reply, or that none came, into account."""
        if not unwell:
            self._bad_in_a_row = self._pauses = 0
            self._lengths.begin_anew()
            return
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= _BAD_ANSWERS_IN_A_ROW and not self.paused:
            self._paused_until = time.monotonic() + self._lengths.next_seconds()
            self._pauses += 1
            # One more bad answer after the pause is enough for the next one.
            self._bad_in_a_row = _BAD_ANSWERS_IN_A_ROW - 1
