"""Triggers over HTTP."""

from services.triggers.definitions.service import TRIGGERS
from services.triggers.scopes import TriggersRead, TriggersWrite
from shared.documents.routes import document_routes

router = document_routes(
    TRIGGERS,
    prefix="/triggers",
    tag="triggers",
    reader=TriggersRead,
    writer=TriggersWrite,
    example_code="flood-reported-impact",
    posted="Posts a trigger's first version; its indicator's new observations are judged by it.",
    versioned="Posts the whole document anew; it is in force at once, and earlier versions stay "
    "readable.\n\nIndicator, scheme, shock and kind of method stay as they are: a change of those "
    "is another trigger.",
)
