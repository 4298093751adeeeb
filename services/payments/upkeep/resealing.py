"""What payments has sealed: accounts as the registry sealed them, callbacks, and the keys that sign
what is sent to subscribers."""

from services.payments.providers.accounts import cipher_of_accounts
from services.payments.settings import WorkerSettings
from services.payments.subscriptions.sealing import cipher_of_keys
from services.payments.webhooks.sealing import cipher_of_bodies
from shared.resealing import SealedColumn


def sealed_columns(settings: WorkerSettings) -> list[SealedColumn]:
    """Every column of sealed values, with the keys that open it."""
    rings = {ring.variable: ring for ring in settings.key_rings()}
    return [
        SealedColumn(
            table="payments.instruction",
            column="account_sealed",
            bound_to="household_id",
            cipher=cipher_of_accounts(settings),
            ring=rings["ACCOUNT_KEYS"],
        ),
        SealedColumn(
            table="payments.prepared_account",
            column="account_sealed",
            bound_to="household_id",
            cipher=cipher_of_accounts(settings),
            ring=rings["ACCOUNT_KEYS"],
        ),
        SealedColumn(
            table="payments.webhook",
            column="body_sealed",
            bound_to="webhook_id",
            cipher=cipher_of_bodies(settings),
            ring=rings["WEBHOOK_KEYS"],
        ),
        SealedColumn(
            table="payments.subscription_key",
            column="secret_sealed",
            bound_to="id",
            cipher=cipher_of_keys(settings),
            ring=rings["WEBHOOK_KEYS"],
        ),
    ]
