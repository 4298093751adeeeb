"""Whether the groups of providers that may stand in for each other can be kept."""

from collections.abc import Mapping

from services.payments.providers.protocol import Adapter, Capability
from services.payments.settings import Settings
from shared.errors import Explained


class GroupCannotBeAsked(Explained):
    """A group has a provider that nobody can ask about a single payment, or of another currency."""


def groups_are_asked(settings: Settings, adapters: Mapping[str, Adapter]) -> None:
    """Raises GroupCannotBeAsked where a payment could be lost sight of.

    Where a database has lost by whom a payment went, each of its group is asked about it, by its
    id. Whoever takes batches or files knows batches and files.
    """
    currencies = {provider.code: provider.currency for provider in settings.providers}
    for group in settings.stand_ins:
        present = [code for code in group if code in adapters]
        for code in present:
            if Capability.SINGLE not in adapters[code].capabilities:
                raise GroupCannotBeAsked(
                    f"PAYMENTS_STAND_INS has provider {code}, which takes no single payments and "
                    "cannot be asked about one: take it out. Its payments are tried anew "
                    "elsewhere by a repair, which two persons decide on."
                )
        if len({currencies[code] for code in present}) > 1:
            raise GroupCannotBeAsked(
                f"PAYMENTS_STAND_INS puts {', '.join(present)} together, which pay in different "
                "currencies: a group has one."
            )
