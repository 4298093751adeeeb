"""What the registry keeps for a time only. Nothing registered, owed or told is among it."""

from services.registry.settings import Settings
from shared.retention import Kept, of_every_service


def kept_for_a_time(settings: Settings) -> list[Kept]:
    """What is removed when its time is over."""
    return [
        *of_every_service(settings),
        Kept(
            what="what imports rejected",
            table="registry.import_rejection",
            since="(SELECT ended_at FROM registry.household_import WHERE id = import_id)",
            days=settings.rejection_days,
            variable="REGISTRY_REJECTION_DAYS",
        ),
    ]
