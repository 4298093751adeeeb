"""Who is met with hostility, and of which kind: decided by hashes, as misbehaviour is.

What misbehaves is an honest provider that has trouble. What is hostile says what is not true, says
it in ways that nobody can read, or keeps whoever listens waiting. Its book tells the truth.
"""

import enum
import hashlib
from collections.abc import Collection
from dataclasses import dataclass


class Hostility(enum.StrEnum):
    """One way in which one disbursement is met. README.md says what each does."""

    FORGETS_IDS = "forgets-ids"
    FORGETS_PENDING = "forgets-pending"
    NOT_KNOWN_AT_FIRST = "not-known-at-first"

    COMPLETED_WITHOUT_REFERENCE = "completed-without-reference"
    COMPLETED_WITH_OTHER_REFERENCE = "completed-with-other-reference"
    OTHER_AMOUNT = "other-amount"
    OTHER_CURRENCY = "other-currency"
    AMOUNT_WITH_EXPONENT = "amount-with-exponent"
    AMOUNT_WITH_LARGE_EXPONENT = "amount-with-large-exponent"
    AMOUNT_OF_FORTY_DIGITS = "amount-of-forty-digits"
    AMOUNT_AS_NUMBER = "amount-as-number"
    AMOUNT_AS_ARRAY = "amount-as-array"
    REFERENCE_WITH_NUL = "reference-with-nul"
    REFERENCE_WITH_SURROGATE = "reference-with-surrogate"
    REFERENCE_OF_100_KB = "reference-of-100-kb"
    UNKNOWN_STATUS = "unknown-status"
    PENDING_FOR_EVER = "pending-for-ever"

    LATE_SUCCESS_BY_RESPONSE = "late-success-by-response"
    LATE_SUCCESS_BY_CALLBACK = "late-success-by-callback"
    LATE_SUCCESS_BY_INQUIRY = "late-success-by-inquiry"
    COMPLETED_THEN_REJECTED = "completed-then-rejected"

    ERROR_WITHIN_200 = "error-within-200"
    HTML = "html"
    DEEP_JSON = "deep-json"
    HUGE_BODY = "huge-body"
    ENDLESS_BODY = "endless-body"
    TRICKLING_HEADERS = "trickling-headers"
    TRICKLING_BODY = "trickling-body"
    NEVER_ANSWERED = "never-answered"
    CLOSED_IN_BODY = "closed-in-body"
    WRONG_CONTENT_LENGTH = "wrong-content-length"
    REDIRECT = "redirect"
    TOO_MANY_REQUESTS = "too-many-requests"
    BURSTS_OF_503 = "bursts-of-503"

    CALLBACK_DOUBLED = "callback-doubled"
    CALLBACK_BEFORE_RESPONSE = "callback-before-response"
    CALLBACK_CONTRADICTORY = "callback-contradictory"
    CALLBACK_FOR_OTHER_PROVIDER = "callback-for-other-provider"
    CALLBACK_OF_UNKNOWN_ID = "callback-of-unknown-id"
    CALLBACK_MALFORMED = "callback-malformed"
    CALLBACK_WITH_OLD_SECRET = "callback-with-old-secret"
    CALLBACK_VERY_LATE = "callback-very-late"


ALL = "all"

SAID_OF_THE_TRANSACTION = frozenset(
    {
        Hostility.COMPLETED_WITHOUT_REFERENCE,
        Hostility.COMPLETED_WITH_OTHER_REFERENCE,
        Hostility.AMOUNT_WITH_EXPONENT,
        Hostility.AMOUNT_WITH_LARGE_EXPONENT,
        Hostility.AMOUNT_OF_FORTY_DIGITS,
        Hostility.AMOUNT_AS_NUMBER,
        Hostility.AMOUNT_AS_ARRAY,
        Hostility.REFERENCE_WITH_NUL,
        Hostility.REFERENCE_WITH_SURROGATE,
        Hostility.REFERENCE_OF_100_KB,
        Hostility.UNKNOWN_STATUS,
    }
)
"""Paid, and told in a transaction object that is not as it should be, for ever."""

DONE_TO_THE_ANSWER = frozenset(
    {
        Hostility.ERROR_WITHIN_200,
        Hostility.HTML,
        Hostility.DEEP_JSON,
        Hostility.HUGE_BODY,
        Hostility.ENDLESS_BODY,
        Hostility.TRICKLING_HEADERS,
        Hostility.TRICKLING_BODY,
        Hostility.NEVER_ANSWERED,
        Hostility.CLOSED_IN_BODY,
        Hostility.WRONG_CONTENT_LENGTH,
        Hostility.REDIRECT,
    }
)
"""Paid, and answered so for a while, whatever is asked; then as it should be."""

WITH_ORDINARY_CALLBACK = frozenset(
    {
        Hostility.FORGETS_IDS,
        Hostility.OTHER_AMOUNT,
        Hostility.OTHER_CURRENCY,
        Hostility.TOO_MANY_REQUESTS,
        Hostility.BURSTS_OF_503,
        Hostility.CALLBACK_FOR_OTHER_PROVIDER,
        Hostility.CALLBACK_OF_UNKNOWN_ID,
        Hostility.CALLBACK_MALFORMED,
        Hostility.CALLBACK_WITH_OLD_SECRET,
    }
)
"""The callback of an honest provider comes, whatever else does."""


OTHERWISE_ORDINARY = frozenset({Hostility.FORGETS_IDS})
"""As any payment until then: it may misbehave, and its account may be missing."""


class Channel(enum.Enum):
    """By which way the end of a payment is told first."""

    RESPONSE = enum.auto()
    CALLBACK = enum.auto()
    INQUIRY = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Nature:
    """A provider's hostility: a pure function of the seed and of whom it is asked about.

    ``share`` is the part of all payments, 0 to 1. ``providers``: those that are hostile; none named
    are all. ``seconds`` is the while that README.md speaks of.
    """

    seed: int
    kinds: tuple[Hostility, ...] = ()
    share: float = 1.0
    seconds: float = 30.0
    providers: Collection[str] = ()

    def kind(self, *, provider: str, correlation_id: str) -> Hostility | None:
        """How one correlation id (a lower-case UUID) is met; None: as an honest provider does."""
        if not self.kinds or (self.providers and provider not in self.providers):
            return None
        bits = self._bits(correlation_id)
        if int.from_bytes(bits[:8], "big") / 2**64 >= self.share:
            return None
        return self.kinds[int.from_bytes(bits[8:12], "big") % len(self.kinds)]

    def channel(self, correlation_id: str) -> Channel:
        """By which way the end of this payment is told first."""
        return list(Channel)[self._bits(correlation_id)[12] % len(Channel)]

    def choice(self, correlation_id: str, *, among: int) -> int:
        """A number below ``among``, where a kind has several forms."""
        return self._bits(correlation_id)[13] % among

    def still(self, received_at: int, *, now: int) -> bool:
        """Whether the while since then is not over; instants are milliseconds since 1970."""
        return now < received_at + self.seconds * 1_000

    def _bits(self, correlation_id: str) -> bytes:
        key = str(self.seed).encode()[:64]
        return hashlib.blake2b(
            correlation_id.encode(), key=key, digest_size=16, person=b"hostile"
        ).digest()
