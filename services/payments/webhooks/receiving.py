"""Taking a callback: is it the provider's, and is it stored."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from services.payments.providers.protocol import Told, ToldOfBatch, Verifier
from services.payments.webhooks.intake import NotStored, WebhookIntake
from shared.errors import NotFound, SignatureRefused, Unavailable
from shared.personal_data import Cipher
from shared.signatures import BadSignature


@dataclass(frozen=True, slots=True)
class Sender:
    """A provider that may call back."""

    provider_number: int
    verifier: Verifier


@dataclass(frozen=True, slots=True)
class Looked:
    """What would be made of a callback."""

    said: Told | ToldOfBatch | None
    webhook_id: str | None = None
    refused_because: str | None = None
    """Why its signature does not hold; None: it does."""


class Receiving:
    """Verifies, seals and stores callbacks of the configured providers."""

    def __init__(
        self, senders: Mapping[str, Sender], *, cipher: Cipher, intake: WebhookIntake
    ) -> None:
        self._senders = senders
        self._cipher = cipher
        self._intake = intake

    def sender(self, provider_code: str) -> Sender:
        """Who calls; raises NotFound."""
        sender = self._senders.get(provider_code)
        if sender is None:
            raise NotFound(
                f"There is no provider {provider_code} here. GET /v1/providers lists them."
            )
        return sender

    def look_at(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Looked:
        """What would be made of a callback. Nothing is stored, and nothing follows."""
        try:
            webhook_id = sender.verifier.verify_callback(headers, body, now=time.time())
        except BadSignature as error:
            return Looked(refused_because=str(error), said=sender.verifier.read_callback(body))
        return Looked(webhook_id=webhook_id, said=sender.verifier.read_callback(body))

    async def take(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> None:
        """Returns once the callback is committed; raises SignatureRefused, Unavailable."""
        try:
            webhook_id = sender.verifier.verify_callback(headers, body, now=time.time())
        except BadSignature as error:
            raise SignatureRefused(str(error)) from None
        try:
            await self._intake.store(
                provider_number=sender.provider_number,
                webhook_id=webhook_id,
                body_sealed=self._cipher.encrypt(body, bound_to=webhook_id.encode()),
                body_fingerprint=self._cipher.fingerprint(body),
            )
        except NotStored:
            raise Unavailable("The callback was not stored. Send it again with its id.") from None
