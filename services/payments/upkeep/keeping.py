"""What payments keeps for a time only. Nothing owed, paid, posted or decided is among it."""

from services.payments.settings import Settings
from shared.retention import Kept, of_every_service


def kept_for_a_time(settings: Settings) -> list[Kept]:
    """What is removed when its time is over: what a callback said stays among the answers."""
    return [
        *of_every_service(settings),
        Kept(
            what="how often providers answered in each minute",
            table="payments.provider_minute",
            since="minute",
            days=settings.provider_minutes_days,
            variable="PAYMENTS_PROVIDER_MINUTES_DAYS",
        ),
        Kept(
            what="callbacks that were applied, or that were none",
            table="payments.webhook",
            since="worked_at",
            days=settings.callback_days,
            variable="PAYMENTS_CALLBACK_DAYS",
            condition="status IN ('applied', 'malformed')",
        ),
        Kept(
            what="deliveries to subscribers that were made, or given up",
            table="payments.delivery",
            since="finished_at",
            days=settings.delivery_days,
            variable="PAYMENTS_DELIVERY_DAYS",
            condition="finished_at IS NOT NULL",
        ),
    ]
