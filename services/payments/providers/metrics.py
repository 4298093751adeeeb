"""How providers answer, and the money with them, for whoever watches the service."""

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers import service
from services.payments.providers.health.schemas import ProviderState
from services.payments.providers.schemas import ProviderOut
from services.payments.settings import Settings
from shared.metrics import Measuring, gauge

_MOST = 1_000
"""Providers that are told: a country has some dozens."""

_MONEY: dict[str, tuple[str, Callable[[ProviderOut], int]]] = {
    "float": ("Our money with it, free to be sent", lambda provider: provider.float_minor),
    "in_transit": ("Sent, without an end yet", lambda provider: provider.in_transit_minor),
    "suspense": ("Paid in contradiction", lambda provider: provider.suspense_minor),
    "waiting": ("Ready to be sent to it", lambda provider: provider.waiting_minor),
    "unknown": ("Perhaps sent, nobody knows", lambda provider: provider.health.unknown_minor),
}


def providers_measuring(settings: Settings) -> Measuring:
    """All providers that are known, configured or not."""

    async def measure(session: AsyncSession, _: datetime) -> Iterable[Metric]:
        providers = await service.list_providers(
            session, after=None, limit=_MOST, settings=settings
        )
        told = ". ".join(f"{name}: {meaning}" for name, (meaning, _) in _MONEY.items())
        return [
            gauge(
                "provider_state",
                "1 for the state that a provider is in.",
                [
                    ([each.code, state], float(each.health.state is state))
                    for each in providers
                    for state in ProviderState
                ],
                labels=["provider", "state"],
            ),
            gauge(
                "provider_money_minor",
                f"Money of a provider's payments, in minor units. {told}.",
                [
                    ([each.code, each.currency, name], amount(each))
                    for each in providers
                    for name, (_, amount) in _MONEY.items()
                ],
                labels=["provider", "currency", "money"],
            ),
            gauge(
                "provider_error_ratio",
                "Requests of the last minutes without a usable reply, of all; none: none was sent.",
                [([each.code], each.health.error_rate) for each in providers],
                labels=["provider"],
            ),
            gauge(
                "provider_waiting",
                "Payments that are ready to be sent to it.",
                [([each.code], each.waiting_count) for each in providers],
                labels=["provider"],
            ),
            gauge(
                "provider_unknown",
                "Payments of which nobody knows what became of them.",
                [([each.code], each.health.unknown_count) for each in providers],
                labels=["provider"],
            ),
            gauge(
                "provider_unknown_oldest_seconds",
                "Since the oldest of them may have been sent.",
                [([each.code], each.health.unknown_oldest_seconds) for each in providers],
                labels=["provider"],
            ),
            gauge(
                "provider_float_lasts_seconds",
                "How long its float lasts at the rate of the last minutes; none: nothing was sent.",
                [([each.code], each.health.float_lasts_seconds) for each in providers],
                labels=["provider"],
            ),
        ]

    return Measuring("providers", measure)
