"""What the approval, or the decline, of each proposal about an activation brings about."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting
from services.triggers.activations.ceilings import Announced, by_approval
from services.triggers.activations.states import State
from services.triggers.approvals.tables import ApprovalKind
from shared.approvals import Approval, Step
from shared.clock import Clock


def activation_steps(*, waits: timedelta) -> list[Step]:
    """The kinds of steps about activations, each with what carries it out."""
    return [
        Step(kind=kind, waits=waits, carry_out=_open, turned_down=_decline)
        for kind in (ApprovalKind.ACTIVATION, ApprovalKind.DECLARATION)
    ] + [
        Step(kind=ApprovalKind.WIDENING, waits=waits, carry_out=_widen, turned_down=_leave_out),
        Step(kind=ApprovalKind.CORRECTION, waits=waits, carry_out=_correct),
        Step(kind=ApprovalKind.CANCELLATION, waits=waits, carry_out=_cancel),
    ]


async def _open(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    by, reason = _decider(proposal)
    opened = await acting.open_with(
        session,
        _activation_id(proposal),
        proposal.document["areas_added"],
        ceiling=_approved(proposal),
        by=by,
        reason=reason,
        clock=clock,
    )
    return _path(opened.id)


async def _decline(session: AsyncSession, proposal: Approval, clock: Clock) -> None:
    by, reason = _decider(proposal)
    activation = await acting.lock(session, _activation_id(proposal))
    # It may have been closed since.
    if activation.state is State.PROPOSED:
        await acting.decline(session, activation.id, by=by, reason=reason, clock=clock)


async def _widen(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    by, reason = _decider(proposal)
    activation = await acting.lock(session, _activation_id(proposal))
    acting.require_open(activation, "widened")
    await acting.widen_with(
        session,
        activation,
        proposal.document["areas_added"],
        ceiling=_approved(proposal),
        by=by,
        reason=reason,
        clock=clock,
    )
    return _path(activation.id)


async def _leave_out(session: AsyncSession, proposal: Approval, clock: Clock) -> None:
    by, reason = _decider(proposal)
    activation = await acting.lock(session, _activation_id(proposal))
    await acting.leave_out(
        session,
        activation,
        proposal.document["areas_added"],
        by=by,
        reason=reason,
        clock=clock,
    )


async def _correct(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    by, reason = _decider(proposal)
    activation = await acting.lock(session, _activation_id(proposal))
    acting.require_open(activation, "corrected")
    await acting.correct(
        session,
        activation,
        added=proposal.document["areas_added"],
        refused=proposal.document["areas_refused"],
        ceiling=_approved(proposal),
        by=by,
        reason=f"{proposal.reason} {reason}",
        clock=clock,
    )
    return _path(activation.id)


async def _cancel(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    by, reason = _decider(proposal)
    cancelled = await acting.cancel(
        session,
        _activation_id(proposal),
        by=by,
        reason=f"{proposal.reason} {reason}",
        clock=clock,
    )
    return _path(cancelled.id)


def _activation_id(proposal: Approval) -> UUID:
    return UUID(proposal.document["activation_id"])


def _approved(proposal: Approval) -> Announced:
    return by_approval(households=proposal.households, amount_minor=proposal.amount_minor)


def _decider(proposal: Approval) -> tuple[str, str]:
    """Who decided, and why."""
    assert proposal.decided_by is not None
    assert proposal.decision_reason is not None
    return proposal.decided_by, proposal.decision_reason


def _path(activation_id: UUID) -> str:
    return f"/v1/activations/{activation_id}"
