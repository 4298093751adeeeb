"""One payment through any adapter's face, whichever way it takes payments."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.batches import (
    BatchAdapter,
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    LineResult,
    ResultKind,
)
from services.payments.providers.files import FileAdapter
from services.payments.providers.protocol import (
    Adapter,
    Capability,
    Order,
    Permit,
    SingleAdapter,
)
from services.payments.settings import ApiSettings, WorkerSettings
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.ids import new_id
from shared.money import Money
from shared.personal_data import Cipher
from tests.payments.bank import KEY as SIGNING_KEY
from tests.payments.bank import private
from tests.payments.conformance.sides import (
    API_KEY,
    CODE,
    PATIENCE_SECONDS,
    SECRET,
    OtherSide,
    Spoken,
)

ACCOUNT = "+85512398764"
AMOUNT_MINOR = 96_000

_KEY = bytes(range(32))
_KEYS = json.dumps({"1": base64.b64encode(_KEY).decode()})
_PAGE = 100
_OF_BATCHES = {
    BatchAnswerKind.CREATED: AnswerKind.PENDING,
    BatchAnswerKind.PENDING: AnswerKind.PENDING,
    BatchAnswerKind.UNDER_WAY: AnswerKind.PENDING,
    BatchAnswerKind.COMPLETED: AnswerKind.PENDING,
    BatchAnswerKind.REFUSED: AnswerKind.REJECTED,
    BatchAnswerKind.NOT_KNOWN: AnswerKind.NOT_KNOWN,
    BatchAnswerKind.NO_ANSWER: AnswerKind.NO_ANSWER,
    BatchAnswerKind.NOT_TAKEN: AnswerKind.NOT_SENT,
    BatchAnswerKind.NOT_SENT: AnswerKind.NOT_SENT,
}
"""What is said of a batch, as it is of each of its payments until it has a result of its own."""


class Permits:
    """Whatever is to leave may leave, unless ``because`` says why not."""

    def __init__(self, because: str | None = None) -> None:
        self.because = because

    def refusal(self) -> str | None:
        return self.because


PERMITTED = Permits()


def order(*, account: str = ACCOUNT, key: bytes = _KEY, version: int = 1) -> Order:
    """A payment of 96,000 riel, with its account sealed."""
    household_id = new_id()
    sealed = Cipher({version: key}, context=ACCOUNT_CONTEXT).encrypt(
        account.encode(), bound_to=household_id.bytes
    )
    return Order(new_id(), household_id, Money(AMOUNT_MINOR, "KHR"), sealed)


def worker_settings(spoken: Spoken, *, patience_seconds: float) -> WorkerSettings:
    """Of a worker that can speak to any provider."""
    return WorkerSettings.model_validate(
        {
            "database_url": "postgresql://nobody@nowhere.invalid/none",
            "auth_issuer": "https://issuer.invalid",
            "auth_jwks_url": "https://issuer.invalid/jwks.json",
            "account_keys": _KEYS,
            "webhook_keys": _KEYS,
            "provider_api_keys": {CODE: API_KEY},
            "provider_signing_keys": {CODE: private(SIGNING_KEY)},
            "provider_timeout_seconds": patience_seconds,
        }
    )


def api_settings() -> ApiSettings:
    """Of an API that knows how any provider signs."""
    return ApiSettings.model_validate(
        {
            "database_url": "postgresql://nobody@nowhere.invalid/none",
            "auth_issuer": "https://issuer.invalid",
            "auth_jwks_url": "https://issuer.invalid/jwks.json",
            "webhook_keys": _KEYS,
            "provider_webhook_secrets": {CODE: [SECRET]},
        }
    )


@dataclass
class Driven:
    """An adapter with the other side, and what was heard through its face of each payment."""

    spoken: Spoken
    adapter: Adapter
    side: OtherSide
    _batches: dict[UUID, BatchName] = field(default_factory=dict)
    """By their first payment."""

    async def send(
        self,
        orders: Sequence[Order],
        permit: Permit = PERMITTED,
        *,
        batch_id: UUID | None = None,
    ) -> dict[UUID, Answer]:
        """Have the payments leave: together where the protocol can."""
        if not takes_many(self.adapter):
            assert isinstance(self.adapter, SingleAdapter)
            return {
                order.instruction_id: await self.adapter.send(order, permit) for order in orders
            }
        assert isinstance(self.adapter, BatchAdapter)
        name = self._name(orders, batch_id)
        said = await self.adapter.send_batch(BatchOrder(name.batch_id, "KHR", orders), permit)
        self._keep(orders, name, said)
        answers = {order.instruction_id: _of_batch(said) for order in orders}
        if said.kind is BatchAnswerKind.CREATED:
            approved = await self.adapter.approve_batch(self._name(orders), permit)
            answers = {order.instruction_id: _of_batch(approved) for order in orders}
        return {**answers, **said.left_out}

    async def ask(self, orders: Sequence[Order]) -> dict[UUID, Answer]:
        """What has become of the payments, by whatever way there is to hear it."""
        await self.side.speak_up()
        if not takes_many(self.adapter):
            assert isinstance(self.adapter, SingleAdapter)
            return {
                order.instruction_id: await self.adapter.inquire(order.instruction_id, None)
                for order in orders
            }
        assert isinstance(self.adapter, BatchAdapter)
        if isinstance(self.adapter, FileAdapter):
            for news in await self.adapter.take_files(limit=_PAGE):
                await self.adapter.end_file(news)
        name = self._name(orders)
        said = await self.adapter.ask_batch(name)
        self._keep(orders, name, said)
        answers = {order.instruction_id: _of_batch(said) for order in orders}
        if said.kind in (BatchAnswerKind.UNDER_WAY, BatchAnswerKind.COMPLETED):
            for kind in (ResultKind.REJECTIONS, ResultKind.COMPLETIONS):
                page = await self.adapter.read_results(
                    self._name(orders), kind, offset=0, limit=_PAGE
                )
                for result in page.results if page else ():
                    if result.our_reference is not None:
                        answers[result.our_reference] = _of_line(result)
        return answers

    async def close(self) -> None:
        await self.adapter.close()

    def _name(self, orders: Sequence[Order], batch_id: UUID | None = None) -> BatchName:
        return self._batches.setdefault(
            orders[0].instruction_id, BatchName(batch_id or new_id(), None, None)
        )

    def _keep(self, orders: Sequence[Order], name: BatchName, said: BatchAnswer) -> None:
        self._batches[orders[0].instruction_id] = BatchName(
            name.batch_id,
            said.provider_batch_id or name.provider_batch_id,
            said.server_correlation_id or name.server_correlation_id,
        )


@asynccontextmanager
async def driven(
    spoken: Spoken, directory: Path, *, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[Driven]:
    """An adapter of the protocol, and the provider that it speaks to."""
    async with spoken.play(directory) as side:
        settings = worker_settings(spoken, patience_seconds=patience_seconds)
        adapter = spoken.adapter(side.settings, settings)
        try:
            yield Driven(spoken, adapter, side)
        finally:
            await adapter.close()


def takes_many(adapter: Adapter) -> bool:
    """Whether several payments leave in one request."""
    return Capability.SINGLE not in adapter.capabilities


def _of_batch(said: BatchAnswer) -> Answer:
    return Answer(_OF_BATCHES[said.kind], reason=said.reason, provider_unwell=said.provider_unwell)


def _of_line(result: LineResult) -> Answer:
    if not result.is_decided:
        return Answer(AnswerKind.NO_ANSWER, reason=result.reason)
    paid = result.kind is ResultKind.COMPLETIONS
    return Answer(
        AnswerKind.SETTLED if paid else AnswerKind.REJECTED,
        reason=result.reason,
        our_reference=result.our_reference,
        transaction_reference=result.transaction_reference,
    )
