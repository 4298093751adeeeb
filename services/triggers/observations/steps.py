"""What the approval of figures that a person posted by hand brings about: they are recorded."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.approvals.tables import ApprovalKind
from services.triggers.checks.service import AreasChecked
from services.triggers.observations import service
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import ObservationsIn
from shared.approvals import Approval, Step
from shared.clock import Clock


def observations_step(*, waits: timedelta) -> Step:
    """Figures that a trigger in force reads, as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.OBSERVATIONS, waits=waits, carry_out=_record)


async def _record(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    body = ObservationsIn.model_validate(proposal.document["batch"])
    recorded = await service.record(
        session,
        body,
        areas=AreasChecked(unchecked=frozenset(proposal.document["areas_unchecked"])),
        hands=Hands(posted_by=proposal.proposed_by, approved_by=proposal.decided_by),
        clock=clock,
    )
    days = [row.observed_on for row in body.observations]
    return (
        f"/v1/observations?indicator={recorded.indicator}"
        f"&observed_from={min(days)}&observed_to={max(days)}"
    )
