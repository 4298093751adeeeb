"""A provider that does what a test tells it, spoken to through an adapter's face alone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import pytest

from services.payments.providers import adapters
from services.payments.providers.adapters import ADAPTERS
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.protocol import Capability, Order, Permit, Told
from services.payments.settings import ApiSettings, ProviderSettings, WorkerSettings
from tests.payments.steps import NOT_KNOWN, PENDING

Ask = Callable[[UUID], Awaitable[Answer]]


class Script:
    """What every scripted provider does, and what it was asked."""

    def __init__(self) -> None:
        self.sent: list[UUID] = []
        self.asked: list[UUID] = []
        self.on_send: Ask = self._pending
        self.on_ask: Ask = self._not_known
        self.by_provider: dict[str, Ask] = {}
        """Of these providers, what is done instead when they are sent to or asked."""

    async def _pending(self, _: UUID) -> Answer:
        return PENDING

    async def _not_known(self, _: UUID) -> Answer:
        return NOT_KNOWN


def answering(answer: Answer) -> Ask:
    """The same answer to everything."""

    async def tell(_: UUID) -> Answer:
        return answer

    return tell


def after(seconds: float, answer: Answer) -> Ask:
    """The same answer to everything, late."""

    async def tell(_: UUID) -> Answer:
        await asyncio.sleep(seconds)
        return answer

    return tell


@pytest.fixture
def script(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Script:
    """Every provider is scripted, by this."""
    script = Script()

    class Scripted:
        capabilities = frozenset({Capability.SINGLE})

        def __init__(self, provider: ProviderSettings, _: ApiSettings | WorkerSettings) -> None:
            self.code = provider.code

        async def send(self, order: Order, permit: Permit) -> Answer:
            refusal = permit.refusal()
            if refusal is not None:
                return Answer(AnswerKind.NOT_SENT, reason=refusal)
            script.sent.append(order.instruction_id)
            answer = script.by_provider.get(self.code, script.on_send)
            return await answer(order.instruction_id)

        async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
            script.asked.append(instruction_id)
            return await script.by_provider.get(self.code, script.on_ask)(instruction_id)

        def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
            return headers["number"]

        def read_callback(self, body: bytes) -> Told | None:
            return None

        async def close(self) -> None:
            pass

    monkeypatch.setattr(adapters, "ADAPTERS", dict.fromkeys(ADAPTERS, Scripted))
    monkeypatch.setattr(adapters, "VERIFIERS", dict.fromkeys(ADAPTERS, Scripted))
    return script
