"""Opening payee accounts: in the moment in which a request is built, and nowhere else."""

import structlog

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.protocol import Order
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

    def open(self, order: Order) -> str | Answer:
        """The order's account, or what its absence means for the payment."""
        try:
            return self._cipher.decrypt(
                order.account_sealed, bound_to=order.household_id.bytes
            ).decode()
        except KeyMissing:
            # No fault of the account: it waits until somebody has the key.
            log.error("account_key_missing", instruction_id=str(order.instruction_id))
            return Answer(AnswerKind.NOT_SENT, reason="account_key_missing")
        except (CannotDecrypt, UnicodeDecodeError):
            return Answer(AnswerKind.UNSENDABLE, reason="account_unreadable")
