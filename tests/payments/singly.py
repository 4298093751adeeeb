"""An adapter of single payments whose answers a test makes up."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import pytest

from services.payments.providers import adapters
from services.payments.providers.adapters import ADAPTERS
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.protocol import Capability, Order, Permit
from services.payments.settings import ApiSettings, ProviderSettings, WorkerSettings

Tell = Callable[[str, UUID], Awaitable[Answer]]
"""What a provider, by its code, says of an instruction."""


def speak_singly(monkeypatch: pytest.MonkeyPatch, *, send: Tell, ask: Tell) -> None:
    """Every provider answers a payment by ``send`` and a question by ``ask``."""

    class Singly:
        capabilities = frozenset({Capability.SINGLE})

        def __init__(self, provider: ProviderSettings, _: ApiSettings | WorkerSettings) -> None:
            self.code = provider.code

        async def send(self, order: Order, permit: Permit) -> Answer:
            refusal = permit.refusal()
            if refusal is not None:
                return Answer(AnswerKind.NOT_SENT, reason=refusal)
            return await send(self.code, order.instruction_id)

        async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
            return await ask(self.code, instruction_id)

        def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
            return headers["number"]

        def read_callback(self, body: bytes) -> None:
            return None

        async def close(self) -> None:
            pass

    monkeypatch.setattr(adapters, "ADAPTERS", dict.fromkeys(ADAPTERS, Singly))
    monkeypatch.setattr(adapters, "VERIFIERS", dict.fromkeys(ADAPTERS, Singly))
