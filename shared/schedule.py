"""When a message that failed is sent again: as Standard Webhooks 1.0 says, with some chance."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waits between the attempts, in seconds."""

    seconds: Sequence[float]

    def after(self, attempts: int) -> float | None:
        """The wait after so many attempts, up to a fifth longer; None: it is given up.

        The chance keeps a receiver that was away from getting everything at the same instant.
        """
        if attempts > len(self.seconds):
            return None
        # No secret hangs on it.
        return self.seconds[attempts - 1] * (1 + _JITTER * random.random())  # noqa: S311
