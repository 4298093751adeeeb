"""Deciding on what rules hold: a resolution about all of a sort, carried out by the worker."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.decisions.schemas import HoldDecision, HoldDecisionsIn
from services.payments.resolutions import service as resolutions
from services.payments.resolutions.repository import Choice
from services.payments.resolutions.schemas import ResolutionsIn
from services.payments.resolutions.states import Outcome
from shared.approvals import ApprovalOut, Steps
from shared.auth import Caller
from shared.clock import Clock

_OUTCOMES = {
    HoldDecision.RELEASE: Outcome.RELEASED,
    HoldDecision.CANCEL: Outcome.CANCELLED,
}


async def propose(
    session: AsyncSession, steps: Steps, body: HoldDecisionsIn, *, caller: Caller, clock: Clock
) -> ApprovalOut:
    """Propose to let go, or to cancel, what rules hold; nothing moves before another approves.

    Raises NotFound where a listed payment is not there, and Conflict where one is not held, none
    is, or they are of several currencies.
    """
    outcome = _OUTCOMES[body.decision]
    if body.instruction_ids is not None:
        await resolutions.require_held(session, body.instruction_ids)
        return await resolutions.propose(
            session,
            steps,
            ResolutionsIn(
                outcome=outcome, reason=body.reason, instruction_ids=body.instruction_ids
            ),
            caller=caller,
            clock=clock,
        )
    assert body.chosen is not None
    return await resolutions.propose_about(
        session,
        steps,
        outcome,
        Choice(**dict(body.chosen), withheld=True),
        {
            "outcome": outcome,
            "held_by_rule": body.chosen.model_dump(mode="json", exclude_none=True),
        },
        reason=body.reason,
        caller=caller,
        clock=clock,
    )
