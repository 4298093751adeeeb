"""Whether a provider is to be left alone for a while: no hot loop against one that is down."""

import time

from services.payments.providers.answers import Answer, AnswerKind
from shared.retry import Backoff

_BAD_ANSWERS_IN_A_ROW = 8


class Pausing:
    """Counts bad answers in a row; after eight it pauses, longer each time."""

    def __init__(self, pauses: Backoff) -> None:
        self._lengths = pauses
        self._bad_in_a_row = 0
        self._pauses = 0
        self._paused_until = float("-inf")

    @property
    def paused(self) -> bool:
        return time.monotonic() < self._paused_until

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
        asked = self._lengths.seconds(0) if seconds is None else seconds
        self._paused_until = max(self._paused_until, time.monotonic() + asked)

    def note_reply(self, *, unwell: bool) -> None:
        """Take one reply, or that none came, into account."""
        if not unwell:
            self._bad_in_a_row = self._pauses = 0
            return
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= _BAD_ANSWERS_IN_A_ROW and not self.paused:
            self._paused_until = time.monotonic() + self._lengths.seconds(self._pauses)
            self._pauses += 1
            # One more bad answer after the pause is enough for the next one.
            self._bad_in_a_row = _BAD_ANSWERS_IN_A_ROW - 1
