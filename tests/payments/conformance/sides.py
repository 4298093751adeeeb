"""The other side of an adapter: what plays its provider, and says what a promise needs said."""

import base64
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

from services.payments.providers.protocol import Adapter, Verifier
from services.payments.settings import ApiSettings, ProviderSettings, WorkerSettings

CODE = "mekong"
PATIENCE_SECONDS = 10.0
"""How long an answer is waited for: longer than a busy machine ever takes to give it."""
IMPATIENCE_SECONDS = 0.3
"""As ``PATIENCE_SECONDS``, where there will be no answer."""
API_KEY = "an-api-key-that-is-told-to-nobody"
SECRET = "whsec_" + base64.b64encode(bytes(range(64, 96))).decode()


class Saying(StrEnum):
    """What the other side does about whatever comes next. Each protocol has its own words for it,
    or none: then its entry in ``spoken.py`` says why."""

    PAYS = "pays"
    """It takes the payment and pays it."""
    TAKES = "takes"
    """It takes the payment, and has not decided whenever it is asked."""
    REJECTS = "rejects"
    """It will not pay this: the account is closed."""
    REJECTS_THEN_PAYS = "rejects-then-pays"
    """It says that it will not pay, and shows later that it did."""
    PAYS_ANOTHER = "pays-another"
    """What it says that it paid is a payment of somebody else's."""
    PAYS_MORE = "pays-more"
    """It paid another amount than was ordered."""
    KEEPS_SILENT = "keeps-silent"
    """It takes the request and never answers."""
    HANGS_UP = "hangs-up"
    """The connection ends without a reply."""
    BREAKS = "breaks"
    """Something inside of it fails, who knows when."""
    MAINTENANCE = "maintenance"
    """It is closed for now."""
    BUSY = "busy"
    """It asks for less."""
    NO_FLOAT = "no-float"
    """What is there of our money at it does not cover the payment."""
    DUPLICATE = "duplicate"
    """It says that it had the same before."""
    ECHOES = "echoes"
    """It refuses, and puts the account wherever words can stand."""
    BABBLES = "babbles"
    """It says ``OtherSide.babble``, to everything."""


@dataclass(frozen=True)
class Seen:
    """An order as it reached the other side."""

    request_id: str
    """By what the provider would know it again."""
    lines: tuple[UUID, ...]
    """Our id of each payment in it."""
    accounts: tuple[str, ...]
    body: bytes


@dataclass
class OtherSide:
    """What plays a provider, for one test."""

    settings: ProviderSettings
    """As which provider it is configured."""
    saying: Saying = Saying.PAYS
    babble: tuple[int, bytes] = (200, b"")
    """A status, where the protocol has one, and a body."""
    seen: list[Seen] = field(default_factory=list)
    questions: int = 0
    """How often it was asked what became of something."""

    async def speak_up(self) -> None:
        """Say what there is to say where nobody asks, as in a file; otherwise there is nothing."""

    def callback(self, instruction_id: UUID) -> tuple[dict[str, str], bytes] | None:
        """A callback of its own about a payment that it made: headers and body; None: it has
        none."""
        return None


class Adapting(Protocol):
    """What makes an adapter of settings, as in ``ADAPTERS``."""

    def __call__(self, provider: ProviderSettings, settings: WorkerSettings, /) -> Adapter: ...


class Verifying(Protocol):
    """What makes a verifier of settings, as in ``VERIFIERS``."""

    def __call__(self, provider: ProviderSettings, settings: ApiSettings, /) -> Verifier: ...


Play = Callable[[Path], AbstractAsyncContextManager[OtherSide]]
"""Plays a provider, with a directory of its own, until it is left."""


@dataclass(frozen=True)
class Spoken:
    """A protocol, what plays its provider, and what it cannot say: one entry of the suite."""

    protocol: str
    adapter: Adapting
    verifier: Verifying
    play: Play
    no_float_reasons: frozenset[str] = frozenset()
    """The codes by which it says that our money at it does not suffice."""
    unsaid: Mapping[Saying, str] = field(default_factory=dict)
    """What this protocol has no word for, and why not."""
