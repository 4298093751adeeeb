"""Sealing the keys that sign deliveries, each bound to its id."""

from services.payments.settings import Settings
from shared.personal_data import Cipher, cipher_from


def cipher_of_keys(settings: Settings) -> Cipher:
    """Seals and opens keys, each bound to its ``id``'s bytes."""
    return cipher_from(settings.webhook_keys, context="subscription-key")
