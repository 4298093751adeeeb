"""What a hostile provider says of accounts, whoever asks: by the account, as all else here is."""

import enum
import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox import lies, wire
from sandbox.answers import Answer, Receive
from sandbox.clock import now


class AccountLie(enum.StrEnum):
    """One way in which questions about an account are met. README.md says what each does."""

    ADDRESS_NOT_FOUND = "address-not-found"
    NEVER_ANSWERED = "never-answered"
    HTML = "html"
    DEEP_JSON = "deep-json"
    HUGE_BODY = "huge-body"
    OTHER_ENCODING = "other-encoding"
    UNKNOWN_STATUS = "unknown-status"
    NO_NAME = "no-name"
    NONSENSE_NAME = "nonsense-name"
    LONG_NAME = "long-name"


FOR_EVER = frozenset({AccountLie.NO_NAME, AccountLie.NONSENSE_NAME, AccountLie.LONG_NAME})
"""What is said of the name does not end after a while."""

_NO_TEXT = b'{"name":{"fullName":"\\u202e\\u0000","nativeName":["x"],"firstName":7}}'
_MEGABYTE = 1024 * 1024


@dataclass(kw_only=True)
class AccountLies:
    """Who is met with which lie, and for how long: ``seconds`` from when it is first asked about.

    That is remembered in the process alone.
    """

    seed: int
    kinds: tuple[AccountLie, ...] = ()
    seconds: float = 30.0
    _first_asked: dict[str, int] = field(default_factory=dict)

    def kind(self, account: str) -> AccountLie | None:
        """How questions about an account are met; None: as an honest provider does."""
        if not self.kinds:
            return None
        key = str(self.seed).encode()[:64]
        bits = hashlib.blake2b(account.encode(), key=key, digest_size=4, person=b"account").digest()
        return self.kinds[int.from_bytes(bits, "big") % len(self.kinds)]

    async def told(
        self, scope: Any, receive: Receive, truth: Answer, *, account: str, asked_for: str
    ) -> Answer | None:
        """What is answered instead of the truth; None: nothing, or it is on the wire already."""
        kind = self.kind(account)
        if kind is None or not (kind in FOR_EVER or self._still(account)):
            return truth
        return await _told(kind, scope["state"]["transport"], receive, truth, asked_for)

    def _still(self, account: str) -> bool:
        first = self._first_asked.setdefault(account, now())
        return now() < first + self.seconds * 1_000


async def _told(
    kind: AccountLie, transport: Any, receive: Receive, truth: Answer, asked_for: str
) -> Answer | None:
    match kind:
        case AccountLie.ADDRESS_NOT_FOUND:
            return Answer(404, lies.HTML, content_type=b"text/html; charset=utf-8")
        case AccountLie.HTML:
            return Answer(200, lies.HTML, content_type=b"text/html; charset=utf-8")
        case AccountLie.DEEP_JSON:
            return Answer(200, lies.DEEP_JSON)
        case AccountLie.OTHER_ENCODING:
            return Answer(200, truth.body.decode().encode("utf-16"))
        case AccountLie.HUGE_BODY:
            await wire.huge_body(transport, status=200)
            return None
        case AccountLie.NEVER_ANSWERED:
            await wire.until_gone(receive)
            return None
        case AccountLie.UNKNOWN_STATUS if asked_for == "status":
            return Answer(200, b'{"accountStatus":"asleep"}')
    if asked_for == "status" or truth.status != 200:
        return truth
    match kind:
        case AccountLie.NO_NAME:
            return Answer(200, b'{"name":{}}')
        case AccountLie.NONSENSE_NAME:
            return Answer(200, _NO_TEXT)
        case AccountLie.LONG_NAME:
            return Answer(200, orjson.dumps({"name": {"fullName": "Sok " * (_MEGABYTE // 4)}}))
    return truth
