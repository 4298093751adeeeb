"""What triggers keeps for a time only. No observation, evaluation or activation is among it."""

from services.triggers.settings import Settings
from shared.retention import Kept, of_every_service


def kept_for_a_time(settings: Settings) -> list[Kept]:
    """What is removed when its time is over."""
    return of_every_service(settings)
