"""What the approval of a file that a person sent by hand brings about: its figures are recorded."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.approvals.tables import ApprovalKind
from services.triggers.checks.service import AreasChecked
from services.triggers.imports import repository
from services.triggers.observations import service as observations
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import ObservationsIn
from shared.approvals import Approval, Step
from shared.clock import Clock


def import_step(*, waits: timedelta) -> Step:
    """Figures of a file that a trigger in force reads, as a kind of step for two persons."""
    return Step(kind=ApprovalKind.OBSERVATION_IMPORT, waits=waits, carry_out=_record)


async def _record(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    import_id = UUID(proposal.document["import_id"])
    hands = Hands(posted_by=proposal.proposed_by, approved_by=proposal.decided_by)
    recorded = unchanged = set_aside = 0
    for kept in proposal.document["batches"]:
        saved = await observations.record(
            session,
            ObservationsIn.model_validate(kept["batch"]),
            areas=AreasChecked(unchecked=frozenset(kept["areas_unchecked"])),
            hands=hands,
            clock=clock,
        )
        recorded += saved.recorded
        unchanged += saved.unchanged
        set_aside += saved.set_aside
    await repository.add_approved(
        session, import_id, recorded=recorded, unchanged=unchanged, set_aside=set_aside
    )
    return f"/v1/observations/imports/{import_id}"
