"""One provider that takes payments one at a time, as JSON over HTTP."""

from collections.abc import Mapping
from uuid import UUID

from services.payments.providers.accounts import Accounts
from services.payments.providers.answers import Answer
from services.payments.providers.lines import Lines, NoReply, NotPermitted
from services.payments.providers.protocol import Capability, Order, Permit, Told
from services.payments.settings import ApiSettings, ProviderSettings, WorkerSettings
from shared.signatures import verify
from tests.payments.conformance.template import messages

PROTOCOL = "template-1.0"


class TemplateAdapter:
    """Sends, asks, and reads what comes. What it says is an ``Answer``: nothing raises."""

    capabilities = frozenset({Capability.SINGLE})

    def __init__(self, provider: ProviderSettings, settings: WorkerSettings) -> None:
        self.code = provider.code
        self._url = provider.url.rstrip("/")
        self._accounts = Accounts(settings)
        self._lines = Lines(
            settings.dispatch_concurrency,
            headers={"X-API-Key": settings.provider_api_keys[provider.code].get_secret_value()},
            timeout_seconds=settings.provider_timeout_seconds,
        )

    async def send(self, order: Order, permit: Permit) -> Answer:
        """Ask it to pay, under the order's own id, however often."""
        account = self._accounts.open(order)
        if isinstance(account, Answer):
            return account
        try:
            async with self._lines.line() as line:
                reply = await line.post(
                    f"{self._url}/payments",
                    headers={
                        "Content-Type": "application/json",
                        "Idempotency-Key": str(order.instruction_id),
                    },
                    body=messages.payment(order, account),
                    permit=permit,
                )
        except (NoReply, NotPermitted) as silence:
            return silence.answer()
        return messages.answer_to(reply.status, reply.body)

    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        """Ask what became of an order, by our own id."""
        try:
            async with self._lines.line() as line:
                reply = await line.get(self._url + messages.path_of(instruction_id), headers={})
        except NoReply as silence:
            return silence.answer()
        return messages.answer_to(reply.status, reply.body)

    def read_callback(self, body: bytes) -> Told | None:
        return messages.read_callback(body)

    async def close(self) -> None:
        await self._lines.close()


class TemplateCallbacks:
    """Whether the provider has signed a callback: by Standard Webhooks 1.0."""

    def __init__(self, provider: ProviderSettings, settings: ApiSettings) -> None:
        self._secrets = [
            secret.get_secret_value() for secret in settings.provider_webhook_secrets[provider.code]
        ]

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
        """The message's id where any of the secrets signed it; raises BadSignature."""
        return verify(self._secrets, headers=headers, body=body, now=now)

    def read_callback(self, body: bytes) -> Told | None:
        return messages.read_callback(body)
