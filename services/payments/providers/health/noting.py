"""How one provider has answered this worker, in memory until it is kept: states and counts."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.payments.providers.answers import Answer, AnswerKind


@dataclass(slots=True)
class Noted:
    """What was noted since it was kept last. Instants are of ``time.monotonic``, in seconds."""

    replies: int = 0
    failures: int = 0
    sent_minor: int = 0
    last_reply: float | None = None
    last_failure: float | None = None
    failure: str | None = None
    """Of the last one: a code."""
    failing_since: float | None = None
    """The first failure after the last reply, whenever that was noted."""

    @property
    def is_empty(self) -> bool:
        return not (self.replies or self.failures or self.sent_minor)


class Noting:
    """Notes how a provider answers: a reply is whatever tells something, good or bad."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._noted = Noted()

    def note(self, answer: Answer) -> None:
        """Take an answer about a payment into account; what never left says nothing."""
        if answer.kind in (AnswerKind.UNSENDABLE, AnswerKind.NOT_SENT):
            return
        failed = answer.kind is AnswerKind.NO_ANSWER or answer.provider_unwell
        self.note_reply(failure=(answer.reason or "no_answer") if failed else None)

    def note_reply(self, *, failure: str | None) -> None:
        """Take one reply into account, or why there was none that tells anything."""
        now = self._now()
        noted = self._noted
        if failure is None:
            noted.replies += 1
            noted.last_reply, noted.failing_since = now, None
            return
        noted.failures += 1
        noted.last_failure, noted.failure = now, failure
        if noted.failing_since is None:
            noted.failing_since = now

    def note_word(self) -> None:
        """It called back: it lives, whatever it said."""
        self.note_reply(failure=None)

    def note_sent(self, amount_minor: int) -> None:
        """Money left the float for the provider."""
        self._noted.sent_minor += amount_minor

    def take(self) -> Noted:
        """What is to be kept. It goes on failing until a reply is noted."""
        taken = self._noted
        self._noted = Noted(failing_since=taken.failing_since)
        return taken

    def age_seconds(self, instant: float | None) -> float | None:
        """How long ago an instant of what was taken is."""
        return None if instant is None else self._now() - instant
