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
        Kept(
            what="ids of partners' messages",
            table="registry.partner_message",
            since="received_at",
            days=settings.partner_message_days,
            variable="REGISTRY_PARTNER_MESSAGE_DAYS",
        ),
        Kept(
            what="messages to partners that were taken or given up",
            table="registry.partner_delivery",
            since="finished_at",
            days=settings.partner_request_days,
            variable="REGISTRY_PARTNER_REQUEST_DAYS",
            condition="finished_at IS NOT NULL",
        ),
        Kept(
            what="what partners answered and told",
            table="registry.partner_callback",
            since="received_at",
            days=settings.partner_request_days,
            variable="REGISTRY_PARTNER_REQUEST_DAYS",
        ),
        Kept(
            what="what partners asked and was answered",
            table="registry.partner_request",
            since="answered_at",
            days=settings.partner_request_days,
            variable="REGISTRY_PARTNER_REQUEST_DAYS",
            condition="answered_at IS NOT NULL",
        ),
        *(
            Kept(
                what="what readings of files found",
                table=table,
                since="(SELECT ended_at FROM registry.import_run WHERE id = run_id)",
                days=settings.rejection_days,
                variable="REGISTRY_REJECTION_DAYS",
            )
            for table in ("registry.import_area", "registry.import_note")
        ),
        Kept(
            what="pieces of files that were imported",
            table="registry.import_piece",
            since="received_at",
            days=settings.import_file_days,
            variable="REGISTRY_IMPORT_FILE_DAYS",
        ),
    ]
