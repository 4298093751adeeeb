"""How a bank goes wrong with a file: decided by hashes, so that a seed always makes the same."""

import enum
import hashlib
from collections.abc import Sequence

from sandbox.misbehaviour import AccountState
from sandbox.misbehaviour import Temperament as Accounts


class Misbehaviour(enum.StrEnum):
    """One way in which what a bank says of one file goes wrong. Its book is right all the while."""

    LATE = "late"
    """The results come after ten times as long."""
    PARTIAL = "partial"
    """The results come in pieces, each in a report of its own, the last lines first."""
    TWICE = "twice"
    """Each report comes twice, the same, under two names."""
    HALF_WRITTEN = "half-written"
    """Each report lies there half for a while, and is whole then, under the same name."""
    BROKEN_OFF = "broken-off"
    """Half a report comes first and stays, and the whole one comes under another name."""
    UNKNOWN_LINES = "unknown-lines"
    """Each report speaks of lines that are not in the file as well."""
    UNKNOWN_FILE = "unknown-file"
    """A report about a file that nobody sent comes as well."""
    NO_LINES = "no-lines"
    """Where all of it is paid, the report says so of the file alone."""
    ACCEPTED_ONLY = "accepted-only"
    """Between fetching the file and its results it says three times that it is under way."""
    BATCH_BOOKED = "batch-booked"
    """Every payment has the reference of the one booking of all of them."""


_FAULTS = {AccountState.OPEN: None, AccountState.UNKNOWN: "AC01", AccountState.CLOSED: "AC04"}


class Temperament:
    """Decides what goes wrong, and which accounts can be paid."""

    def __init__(
        self,
        *,
        seed: int,
        kinds: Sequence[Misbehaviour],
        share: float,
        bad_account_share: float,
    ) -> None:
        self._seed = seed
        self._kinds = kinds
        self._share = share
        self._accounts = Accounts(
            seed=seed,
            misbehave=0,
            missing_account_share=bad_account_share,
            completion_delay_ms=(0, 0),
        )

    def misbehaviour(self, message_id: str) -> Misbehaviour | None:
        """How the bank goes wrong with a file, if it does."""
        if not self._kinds or self._draw("wrong", message_id) >= self._share:
            return None
        return self._kinds[int(self._draw("kind", message_id) * len(self._kinds))]

    def account_fault(self, account: str) -> str | None:
        """Why an account cannot be paid, as a code of ISO 20022, or None: it can.

        A wallet of the same seed and share says the same of it.
        """
        return _FAULTS[self._accounts.account(account).state]

    def _draw(self, about: str, name: str) -> float:
        digest = hashlib.sha256(f"{self._seed}:{about}:{name}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64
