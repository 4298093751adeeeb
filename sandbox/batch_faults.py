"""Which batches go wrong, and how: decided by hashes, as misbehaviour and hostility are."""

import enum
import hashlib
from dataclasses import dataclass


class BatchFault(enum.StrEnum):
    """One way in which one batch goes wrong. README.md says what each does."""

    LOST_BEFORE = "lost-before"
    LOST_AFTER = "lost-after"
    APPROVAL_LOST_BEFORE = "approval-lost-before"
    APPROVAL_LOST_AFTER = "approval-lost-after"
    NOT_KNOWN_AT_FIRST = "not-known-at-first"

    PARTLY_REJECTED = "partly-rejected"
    REFUSED_FOR_A_LINE = "refused-for-a-line"
    NO_FUNDS = "no-funds"
    TOO_MANY_REQUESTS = "too-many-requests"
    MAINTENANCE = "maintenance"

    HALF_READ_PAGES = "half-read-pages"
    SHUFFLED_PAGES = "shuffled-pages"
    NONSENSE = "nonsense"

    CALLBACK_LATE = "callback-late"
    CALLBACK_TWICE = "callback-twice"
    CALLBACK_NEVER = "callback-never"


LOST_ONCE = frozenset({BatchFault.LOST_AFTER, BatchFault.NOT_KNOWN_AT_FIRST})
"""Taken, and its first answer never leaves."""


@dataclass(frozen=True, kw_only=True)
class BatchNature:
    """How a provider treats batches: a pure function of the seed and of what it is asked about.

    ``share`` is the part of all batches, 0 to 1, that meets one of the ``kinds``. ``seconds`` is
    the while that README.md speaks of.
    """

    seed: int
    kinds: tuple[BatchFault, ...] = ()
    share: float = 1.0
    seconds: float = 30.0

    def kind(self, correlation_id: str) -> BatchFault | None:
        """How the batch of a correlation id (a lower-case UUID) is treated; None: well."""
        bits = self._bits(correlation_id)
        if not self.kinds or int.from_bytes(bits[:8], "big") / 2**64 >= self.share:
            return None
        return self.kinds[int.from_bytes(bits[8:12], "big") % len(self.kinds)]

    def declines(self, line: str) -> bool:
        """Whether a batch that is partly rejected has this line, by its reference, rejected."""
        return bool(self._bits(line)[12] % 2)

    def still(self, since: int, *, now: int) -> bool:
        """Whether the while since then is not over; instants are milliseconds since 1970."""
        return now < since + self.seconds * 1_000

    def _bits(self, about: str) -> bytes:
        key = str(self.seed).encode()[:64]
        return hashlib.blake2b(about.encode(), key=key, digest_size=16, person=b"batch").digest()
