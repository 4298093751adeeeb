"""Triggers over HTTP."""

from fastapi import Request

from services.triggers.approvals.tables import ApprovalKind
from services.triggers.checks.service import checks_of
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.service import TRIGGERS, require_ceiling
from services.triggers.scopes import TriggersRead, TriggersWrite
from shared.documents.routes import document_routes


async def _require_enrolling(request: Request, document: TriggerDocument) -> None:
    """Raises a Problem where nobody could be enrolled by the trigger.

    A version that retires it is taken whatever the registry says, or does not.
    """
    require_ceiling(document)
    if document.enabled:
        checks = await checks_of(request)
        ceiling = document.stages.activation.ceiling
        await checks.require_enrolling(
            areas=document.areas,
            area_filter=document.area_filter,
            scheme=document.scheme,
            ceiling_currency=ceiling.currency if ceiling else None,
        )


router = document_routes(
    TRIGGERS,
    ApprovalKind.TRIGGER,
    prefix="/triggers",
    tag="triggers",
    reader=TriggersRead,
    writer=TriggersWrite,
    example_code="flood-reported-impact",
    posted="Proposes a trigger's first version; once it is in force, its indicator's new "
    "observations are judged by it. The registry is asked whether anybody could be enrolled by its "
    "areas, its filter and its scheme.",
    versioned="Proposes the whole document anew; earlier versions stay readable.\n\n"
    "Indicator, scheme, shock and kind of method stay as they are: a change of those is another "
    "trigger.",
    before=_require_enrolling,
)
