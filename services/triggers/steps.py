"""The steps of this service that need two persons, each with what carries it out."""

from datetime import timedelta

from services.triggers.activations.steps import activation_steps
from services.triggers.approvals.tables import Approval, ApprovalKind
from services.triggers.definitions.service import TRIGGERS
from services.triggers.feeds.service import FEEDS
from services.triggers.imports.steps import import_step
from services.triggers.observations.steps import observations_step
from services.triggers.settings import Settings
from shared.approvals import Steps
from shared.documents.service import document_step


def steps_of(settings: Settings) -> Steps:
    """All of them; a proposal waits as long as the settings say."""
    waits = timedelta(days=settings.approval_wait_days)
    return Steps(
        Approval,
        ApprovalKind,
        [
            document_step(TRIGGERS, ApprovalKind.TRIGGER, waits=waits),
            document_step(FEEDS, ApprovalKind.FEED, waits=waits),
            observations_step(waits=waits),
            import_step(waits=waits),
            *activation_steps(waits=waits),
        ],
    )
