"""Whether providers can stand in for each other, as the settings group them."""

from collections.abc import Collection

from services.payments.settings import Settings
from shared.errors import Explained


class GroupDoesNotFit(Explained):
    """The providers of a group pay in different currencies."""


def groups_fit(settings: Settings, configured: Collection[str]) -> None:
    """Raises GroupDoesNotFit where providers could not pay in each other's place."""
    currencies = {provider.code: provider.currency for provider in settings.providers}
    for group in settings.stand_ins:
        present = [code for code in group if code in configured]
        if len({currencies[code] for code in present}) > 1:
            raise GroupDoesNotFit(
                f"PAYMENTS_STAND_INS puts {', '.join(present)} together, which pay in different "
                "currencies: a group has one."
            )
