"""What a provider sends by itself: whether it was the provider, and what it says.

The standard's callback is a transaction object, or an error object that names the payment in its
parameters. It is signed by Standard Webhooks 1.0.
"""

from collections.abc import Mapping
from typing import Any

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma.batches import told_of_batch
from services.payments.providers.gsma.messages import (
    OUR_REFERENCE,
    error_object,
    read_object,
    read_uuid,
    transaction,
)
from services.payments.providers.protocol import Told, ToldOfBatch
from services.payments.settings import ApiSettings, ProviderSettings
from shared.signatures import verify


class SignedCallbacks:
    """Whether one provider has signed a callback."""

    def __init__(self, provider: ProviderSettings, settings: ApiSettings) -> None:
        self._secrets = [
            secret.get_secret_value() for secret in settings.provider_webhook_secrets[provider.code]
        ]

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
        """The message's id where any of the secrets signed it; raises BadSignature."""
        return verify(self._secrets, headers=headers, body=body, now=now)

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        """What it says, or None: it is no callback about a payment."""
        return read_callback(body)


class SignedBatchCallbacks(SignedCallbacks):
    """The same of a provider that takes batches, and calls back about them as well."""

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        return read_batch_callback(body)


def read_callback(body: bytes) -> Told | None:
    """Which instruction a callback speaks of and what it says, or None: it is no callback."""
    content = read_object(body)
    if content is None:
        return None
    if "errorCategory" in content or "errorCode" in content:
        about = read_uuid(_parameter(content, OUR_REFERENCE))
        answer = error_object(content) or Answer(AnswerKind.NO_ANSWER, reason="undecided_callback")
    elif "transactionStatus" in content:
        about = read_uuid(content.get(OUR_REFERENCE))
        answer = transaction(content)
    else:
        return None
    return Told(about, answer) if about is not None else None


def read_batch_callback(body: bytes) -> Told | ToldOfBatch | None:
    """The same where a batch may be spoken of."""
    content = read_object(body)
    told = told_of_batch(content) if content is not None else None
    return read_callback(body) if told is None else ToldOfBatch(told)


def _parameter(content: dict[str, Any], key: str) -> Any:
    parameters = content.get("errorParameters")
    if not isinstance(parameters, list):
        return None
    for parameter in parameters:
        if isinstance(parameter, dict) and parameter.get("key") == key:
            return parameter.get("value")
    return None
