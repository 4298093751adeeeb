"""Opening payee accounts: in the moment in which a request is built, and nowhere else."""

import structlog

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.protocol import Order, SealedAccount
from services.payments.settings import WorkerSettings
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.personal_data import CannotDecrypt, Cipher, KeyMissing, cipher_from

log = structlog.get_logger()


def cipher_of_accounts(settings: WorkerSettings) -> Cipher:
    """Opens accounts, each bound to its household."""
    return cipher_from(settings.account_keys, context=ACCOUNT_CONTEXT)


class Accounts:
    """What an adapter opens accounts with."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._cipher = cipher_of_accounts(settings)

    def open(self, order: Order | SealedAccount) -> str | Answer:
        """An account, of an order or by itself, or what its absence means for the payment."""
        try:
            return self._cipher.decrypt(
                order.account_sealed, bound_to=order.household_id.bytes
            ).decode()
        except KeyMissing:
            # No fault of the account: it waits until somebody has the key.
            log.error("account_key_missing", household_id=str(order.household_id))
            return Answer(AnswerKind.NOT_SENT, reason="account_key_missing")
        except (CannotDecrypt, UnicodeDecodeError):
            return Answer(AnswerKind.UNSENDABLE, reason="account_unreadable")
