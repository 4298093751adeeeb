"""Who misbehaves, and how: decided by hashes, so that one seed always makes the same provider."""

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


class Misbehaviour(enum.StrEnum):
    """One way in which one disbursement goes wrong. A disbursement has one at most."""

    SLOW_ANSWER = "slow-answer"
    LOST_REPLY = "lost-reply"
    SILENCE = "silence"
    ERROR_BEFORE_BOOKING = "error-before-booking"
    ERROR_AFTER_BOOKING = "error-after-booking"
    DUPLICATE_CALLBACK = "duplicate-callback"
    EARLY_CALLBACK = "early-callback"
    NO_CALLBACK = "no-callback"


SHARES: Mapping[Misbehaviour, float] = {
    Misbehaviour.SLOW_ANSWER: 0.0050,
    Misbehaviour.LOST_REPLY: 0.0050,
    Misbehaviour.SILENCE: 0.0025,
    Misbehaviour.ERROR_BEFORE_BOOKING: 0.0050,
    Misbehaviour.ERROR_AFTER_BOOKING: 0.0050,
    Misbehaviour.DUPLICATE_CALLBACK: 0.0100,
    Misbehaviour.EARLY_CALLBACK: 0.0050,
    Misbehaviour.NO_CALLBACK: 0.0025,
}
"""The part of all disbursements that goes wrong in each way, at `--misbehave 1`."""

GREATEST_MISBEHAVE = 25.0
"""At 25 the shares add up to one: every disbursement misbehaves."""

WITHOUT_CALLBACK = frozenset({Misbehaviour.SILENCE, Misbehaviour.NO_CALLBACK})
WITHOUT_REPLY = frozenset({Misbehaviour.SILENCE, Misbehaviour.LOST_REPLY})


class AccountState(enum.StrEnum):
    """Whether an account can be paid."""

    OPEN = "open"
    UNKNOWN = "unknown-account"
    CLOSED = "closed-account"


@dataclass(frozen=True, slots=True)
class Conduct:
    """How the provider treats one correlation id.

    `refusals`: how many tries get a 5xx before one is booked. `error_status`: 500 or 503.
    `extra_callbacks`: copies after the first, with its webhook-id or (`fresh_ids`) new ones.
    """

    misbehaviour: Misbehaviour | None
    completion_delay_ms: int
    answer_delay_seconds: float
    refusals: int
    error_status: int
    extra_callbacks: int
    fresh_ids: bool


@dataclass(frozen=True, slots=True)
class AccountConduct:
    """Whether an account can be paid, and whether a rejection comes with the answer or later."""

    state: AccountState
    rejected_at_once: bool


_OPEN = AccountConduct(state=AccountState.OPEN, rejected_at_once=False)
_WHOLE = float(2**64)


class Temperament:
    """The provider's nature: a pure function of the seed and what it is asked about."""

    def __init__(
        self,
        *,
        seed: int,
        misbehave: float,
        missing_account_share: float,
        completion_delay_ms: tuple[int, int],
    ) -> None:
        key = str(seed).encode()[:64]
        self._of_requests = hashlib.blake2b(key=key, digest_size=16, person=b"request")
        self._of_accounts = hashlib.blake2b(key=key, digest_size=16, person=b"account")
        self._missing_account_share = missing_account_share
        self._completion_delay_ms = completion_delay_ms
        self._bands: list[tuple[float, Misbehaviour]] = []
        upper = 0.0
        for misbehaviour, share in SHARES.items():
            upper += share * misbehave
            self._bands.append((upper, misbehaviour))
        self._misbehaving_share = upper

    def conduct(self, correlation_id: str) -> Conduct:
        """How one correlation id (a lower-case UUID) is treated."""
        digest = self._of_requests.copy()
        digest.update(correlation_id.encode())
        bits = digest.digest()
        position = int.from_bytes(bits[:8], "big") / _WHOLE
        misbehaviour: Misbehaviour | None = None
        if position < self._misbehaving_share:
            misbehaviour = next(kind for upper, kind in self._bands if position < upper)
        least, most = self._completion_delay_ms
        refused = misbehaviour is Misbehaviour.ERROR_BEFORE_BOOKING
        repeated = misbehaviour is Misbehaviour.DUPLICATE_CALLBACK
        slow = misbehaviour is Misbehaviour.SLOW_ANSWER
        return Conduct(
            misbehaviour=misbehaviour,
            completion_delay_ms=least + int.from_bytes(bits[8:12], "big") % (most - least + 1),
            answer_delay_seconds=0.5 + 1.5 * bits[12] / 255 if slow else 0.0,
            refusals=1 + bits[13] % 2 if refused else 0,
            error_status=500 if bits[14] % 2 else 503,
            extra_callbacks=1 + bits[13] % 2 if repeated else 0,
            fresh_ids=bool(bits[15] % 2),
        )

    def account(self, account: str) -> AccountConduct:
        """Whether an account can be paid. Two providers of one seed agree about it."""
        digest = self._of_accounts.copy()
        digest.update(account.encode())
        bits = digest.digest()
        if int.from_bytes(bits[:8], "big") / _WHOLE >= self._missing_account_share:
            return _OPEN
        state = AccountState.UNKNOWN if bits[8] % 2 else AccountState.CLOSED
        return AccountConduct(state=state, rejected_at_once=bool(bits[9] % 2))
