"""Until when a request that moves money may leave: one rule for first sendings and for resends."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.payments.providers.pausing import Pausing


def seconds_since_boot() -> float:
    """A clock that goes on while the process is stopped and while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Stopping:
    """Whether the worker was told to end."""

    def __init__(self) -> None:
        self.begun = False


class KnownPauses:
    """How many pauses this worker has heard of, ended or not; it looks again and again."""

    def __init__(self) -> None:
        self.count: int | None = None
        """None: it has not looked yet."""


@dataclass(frozen=True, slots=True)
class LeasePermit:
    """What a claim permits: to send, as long as its answer is in before its lease ends.

    ``send_before`` is counted from before the claim was committed. Once the lease has ended another
    worker may send the same, so whoever was stopped meanwhile sends nothing when it goes on.

    What is paused is not claimed. What was claimed before, and waits for its turn, does not leave
    once its worker hears of a further pause, whichever it concerns: it is claimed anew.
    """

    send_before: float
    now: Callable[[], float]
    pausing: Pausing
    stopping: Stopping
    pauses: KnownPauses
    pauses_before: int | None
    """How many were known before it was claimed."""

    def refusal(self) -> str | None:
        """Why the request may not leave, as a code; None: it may."""
        if self.now() > self.send_before:
            return "not_sent_in_time"
        if self.stopping.begun:
            return "worker_stopping"
        if self.pausing.paused:
            return "provider_paused"
        if self.pauses_before is not None and self.pauses.count != self.pauses_before:
            return "paused_meanwhile"
        return None
