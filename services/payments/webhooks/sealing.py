"""Sealing callbacks' bodies: a callback repeats the payee's account."""

from services.payments.settings import Settings
from shared.personal_data import Cipher, cipher_from


def cipher_of_bodies(settings: Settings) -> Cipher:
    """Seals and opens bodies, each bound to its ``webhook_id``."""
    return cipher_from(settings.webhook_keys, context="provider-webhook")
