"""Whether a provider is to be left alone for a while: no hot loop against one that is down."""

import time

from services.payments.providers.answers import Answer, AnswerKind

_BAD_ANSWERS_IN_A_ROW = 8
_MOST_DOUBLINGS = 16


class ProviderHealth:
    """Counts bad answers in a row; after eight it pauses, twice as long each time."""

    def __init__(self, *, pause_seconds: float, longest_seconds: float) -> None:
        self._pause_seconds = pause_seconds
        self._longest_seconds = longest_seconds
        self._bad_in_a_row = 0
        self._pauses = 0
        self._paused_until = float("-inf")

    @property
    def paused(self) -> bool:
        return time.monotonic() < self._paused_until

    def note(self, answer: Answer) -> None:
        """Take one answer into account."""
        if answer.kind is AnswerKind.UNSENDABLE:
            return
        if not answer.provider_unwell:
            self._bad_in_a_row = self._pauses = 0
            return
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= _BAD_ANSWERS_IN_A_ROW and not self.paused:
            pause = self._pause_seconds * 2**self._pauses
            self._paused_until = time.monotonic() + min(pause, self._longest_seconds)
            self._pauses = min(self._pauses + 1, _MOST_DOUBLINGS)
            # One more bad answer after the pause is enough for the next one.
            self._bad_in_a_row = _BAD_ANSWERS_IN_A_ROW - 1
