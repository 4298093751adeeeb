"""Letting through, by two persons, what is above an activation's ceiling."""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import require_not_cancelled
from services.registry.activations.tables import Activation
from services.registry.chunks import repository as chunks
from services.registry.chunks.tables import EnrolmentRun
from services.registry.enrolments import ceilings
from services.registry.enrolments.ceilings import Sum
from services.registry.enrolments.completion import complete_run
from services.registry.held import repository
from services.registry.held.schemas import HeldRunOut, LetThroughIn
from services.registry.schemes.service import get_document
from shared.approvals import Approval, ApprovalOut, ApprovalStatus, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.events import publish
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX


async def list_page(session: AsyncSession, page: Page, *, clock: Clock) -> PageOf[HeldRunOut]:
    """A page of the runs that are held, the oldest first."""
    found = await repository.list_held(
        session, after=page.after(datetime, UUID), limit=page.fetch_limit
    )
    rows = [_shown(run, scheme, proposal, now=clock.now()) for run, scheme, proposal in found]
    return page.of(rows, key=lambda held: (held.held_at, held.run_id))


async def propose_again(
    session: AsyncSession,
    steps: Steps,
    run_id: UUID,
    given: LetThroughIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose that a run be let through whose proposal was declined, or expired."""
    run, activation = await _held(session, run_id)
    assert run.approval_id is not None
    last = await repository.find_approval(session, run.approval_id)
    if approvals.status_of(last, now=clock.now()) is ApprovalStatus.WAITING:
        raise Conflict(
            f"A proposal to let it through waits already: GET /v1/approvals/{last.id}. A second "
            "person approves it."
        )
    assert activation.scheme_version is not None, "a run has a scheme"
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    return await ceilings.ask(
        session, run, document, steps=steps, caller=caller, reason=given.reason, clock=clock
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Let a run through, and its activation come to what the two persons saw."""
    run, activation = await _held(session, UUID(proposal.document["run_id"]))
    total = await ceilings.total_with(session, run)
    assert proposal.households is not None
    assert proposal.amount_minor is not None
    seen = Sum(proposal.households, proposal.amount_minor)
    assert activation.scheme_version is not None, "a run has a scheme"
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    if not total.fits(seen):
        raise Conflict(
            f"With it the activation comes to {total.told(document.currency)} by now, more than "
            f"was proposed. Decline it, and POST /v1/held-runs/{run.id}/release proposes it anew."
        )
    await ceilings.allow(session, activation.id, seen)
    completed = await complete_run(session, run.id, document, clock=clock)
    await publish(session, completed, clock=clock)
    return f"{API_PREFIX}/activations/{activation.id}"


async def _held(session: AsyncSession, run_id: UUID) -> tuple[EnrolmentRun, Activation]:
    """A run that is held, and its activation, until the commit for this transaction alone."""
    run = await chunks.find_run(session, run_id)
    if run is None:
        raise NotFound("There is no such run. GET /v1/held-runs lists those that are held.")
    activation = await activations.lock_activation(session, run.activation_id)
    assert activation is not None
    require_not_cancelled(activation)
    await session.refresh(run)
    if run.completed_at is not None or run.held_at is None:
        raise Conflict("The run is not held: GET /v1/held-runs lists those that are.")
    return run, activation


def _shown(run: EnrolmentRun, scheme: str, proposal: Approval, *, now: datetime) -> HeldRunOut:
    assert run.held_at is not None
    assert proposal.households is not None
    assert proposal.amount_minor is not None
    assert proposal.currency is not None
    status = approvals.status_of(proposal, now=now)
    return HeldRunOut(
        run_id=run.id,
        activation_id=run.activation_id,
        scheme=scheme,
        round=run.round,
        kind=run.kind,
        held_at=run.held_at,
        what=proposal.what,
        households=proposal.households,
        amount_minor=proposal.amount_minor,
        currency=proposal.currency,
        approval_id=proposal.id,
        status=status,
        what_to_do=_what_to_do(run, proposal, status),
    )


def _what_to_do(run: EnrolmentRun, proposal: Approval, status: ApprovalStatus) -> str:
    match status:
        case ApprovalStatus.WAITING | ApprovalStatus.APPROVED:
            return f"A second person decides: POST /v1/approvals/{proposal.id}/approval."
        case ApprovalStatus.DECLINED | ApprovalStatus.EXPIRED:
            return (
                f"POST /v1/held-runs/{run.id}/release proposes it again. If it is never to be "
                "paid, leave it, or cancel the activation in triggers."
            )
        case _:
            assert_never(status)
