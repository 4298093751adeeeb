"""Schemes over HTTP."""

from services.registry.approvals.tables import ApprovalKind
from services.registry.schemes.service import SCHEMES
from services.registry.scopes import SchemesRead, SchemesWrite
from shared.documents.routes import document_routes

router = document_routes(
    SCHEMES,
    ApprovalKind.SCHEME,
    prefix="/schemes",
    tag="schemes",
    reader=SchemesRead,
    writer=SchemesWrite,
    example_code="flood-2022",
    posted="Proposes version 1 of a programme: who is eligible, what they get, in which rounds.",
    versioned="Holds for activations that open from now on; those under way keep their version.",
)
