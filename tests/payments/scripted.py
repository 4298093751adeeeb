"""A provider that does what a test tells it, spoken to through an adapter's face alone."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from services.payments.providers.answers import Answer
from tests.payments.singly import speak_singly
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

    async def send(provider: str, instruction_id: UUID) -> Answer:
        script.sent.append(instruction_id)
        return await script.by_provider.get(provider, script.on_send)(instruction_id)

    async def ask(provider: str, instruction_id: UUID) -> Answer:
        script.asked.append(instruction_id)
        return await script.by_provider.get(provider, script.on_ask)(instruction_id)

    speak_singly(monkeypatch, send=send, ask=ask)
    return script
