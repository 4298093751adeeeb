"""What verifies and seals a provider's callbacks."""

from dataclasses import dataclass

WEBHOOK_CONTEXT = "provider-webhook"


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """The secrets that one provider may have signed with, and its number."""

    provider_number: int
    secrets: tuple[str, ...]
