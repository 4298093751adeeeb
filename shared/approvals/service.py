"""What may happen to a step that needs two persons: it is proposed, and another person decides."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import audit
from shared.approvals import repository
from shared.approvals.schemas import ApprovalOut, ApprovalStatus, DecidedOut
from shared.approvals.steps import Effect, Steps
from shared.approvals.tables import Approval, Decision
from shared.auth import Caller
from shared.bounds import Bound
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, NotFound, Problem
from shared.ids import new_id
from shared.pagination import Page, PageOf

WITHDRAWN = "Withdrawn by whoever proposed it."
"""The reason of a proposal that its own proposer closed."""


async def propose(
    session: AsyncSession,
    steps: Steps,
    kind: StrEnum,
    document: dict[str, Any],
    effect: Effect,
    *,
    reason: str | None,
    caller: Caller,
    clock: Clock,
    approval_id: UUID | None = None,
) -> ApprovalOut:
    """The proposal, kept until another person decides, or it expires.

    ``approval_id`` is its id where something was kept under it already.
    """
    now = clock.now()
    proposal = await repository.add(
        session,
        steps.table,
        id=approval_id or new_id(),
        kind=kind,
        what=effect.what,
        document=document,
        households=effect.households,
        amount_minor=effect.amount_minor,
        currency=effect.currency,
        proposed_by=caller.subject,
        proposed_at=now,
        reason=reason,
        evidence_by=sorted(set(effect.evidence_by) - {caller.subject}),
        expires_at=now + steps.by_kind[kind].waits,
    )
    await audit.record(
        session,
        f"approvals/{proposal.id}",
        after={"kind": kind, "status": "waiting", "what": effect.what, "document": document},
        reason=reason,
    )
    return shown(proposal, now=now)


async def decide(
    session: AsyncSession,
    steps: Steps,
    approval_id: UUID,
    decision: Decision,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> Approval:
    """Approve a proposal, which carries it out, or decline it.

    Raises NotFound; Forbidden for a machine that approves; Conflict where it was decided, has
    expired, cannot be carried out, or the caller proposed it or posted what it follows from.
    """
    proposal = await _get_locked(session, steps, approval_id, caller=caller)
    return await _decide(
        session, steps, proposal, decision, reason=reason, caller=caller, clock=clock
    )


async def withdraw(
    session: AsyncSession, steps: Steps, approval_id: UUID, *, caller: Caller, clock: Clock
) -> Approval:
    """Close one's own proposal; raises NotFound, Conflict."""
    proposal = await _get_locked(session, steps, approval_id, caller=caller)
    if proposal.proposed_by != caller.subject:
        raise Conflict(
            f"It was proposed by {proposal.proposed_by}: only they withdraw it. Whoever may "
            "approve it can decline it."
        )
    return await _decide(
        session, steps, proposal, Decision.DECLINED, reason=WITHDRAWN, caller=caller, clock=clock
    )


async def _get_locked(
    session: AsyncSession, steps: Steps, approval_id: UUID, *, caller: Caller
) -> Approval:
    proposal = await repository.lock(
        session, steps.table, approval_id, shown=steps.shown_to(caller.areas)
    )
    if proposal is None:
        raise NotFound("There is no such proposal. GET /v1/approvals lists what waits.")
    return proposal


async def _decide(
    session: AsyncSession,
    steps: Steps,
    proposal: Approval,
    decision: Decision,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> Approval:
    now = clock.now()
    match status_of(proposal, now=now):
        case ApprovalStatus.APPROVED | ApprovalStatus.DECLINED as decided:
            raise Conflict(f"It was {decided} by {proposal.decided_by}: {proposal.what}")
        case ApprovalStatus.EXPIRED:
            raise Conflict(
                f"It expired at {proposal.expires_at.isoformat()}, undecided. Propose it again, by "
                "what is known now."
            )
        case ApprovalStatus.WAITING:
            pass
    if decision is Decision.APPROVED:
        _require_another_person(proposal, caller)
    decided_row = await repository.decide(
        session,
        steps.table,
        proposal.id,
        decision,
        by=caller.subject,
        at=now,
        reason=reason,
    )
    if decision is Decision.APPROVED:
        outcome = await steps.by_kind[decided_row.kind].carry_out(session, decided_row, clock)
        if outcome is not None:
            await repository.set_outcome(session, steps.table, proposal.id, outcome)
            decided_row.outcome = outcome
    else:
        await steps.by_kind[decided_row.kind].turned_down(session, decided_row, clock)
    await audit.record(
        session,
        f"approvals/{proposal.id}",
        before={"status": "waiting", "proposed_by": proposal.proposed_by},
        after={"kind": proposal.kind, "status": decision, "what": proposal.what},
        reason=reason,
    )
    return decided_row


async def find_locked(session: AsyncSession, steps: Steps, approval_id: UUID) -> Approval | None:
    """A proposal, locked as whoever decides it would lock it; None: there is none."""
    return await repository.lock(session, steps.table, approval_id)


async def supersede(
    session: AsyncSession, steps: Steps, proposal: Approval, *, by: str, reason: str, clock: Clock
) -> None:
    """Close a locked proposal whose ground has gone. It was no person's no: nothing follows.

    One that was decided, or has expired, stays as it is.
    """
    now = clock.now()
    if status_of(proposal, now=now) is ApprovalStatus.WAITING:
        await repository.decide(
            session, steps.table, proposal.id, Decision.DECLINED, by=by, at=now, reason=reason
        )


async def decide_each(
    session: AsyncSession,
    steps: Steps,
    approval_ids: Sequence[UUID],
    decision: Decision,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> list[DecidedOut]:
    """Decide several proposals, each by itself: one that cannot be says why, the others go on.

    The oldest first, whatever their order: what was proposed later may need what came before, and
    two persons who decide the same ones never wait for each other in a circle.
    """
    # Before any is carried out: whoever decides one of them has its lock before all others, too.
    await repository.lock_all(
        session, steps.table, approval_ids, shown=steps.shown_to(caller.areas)
    )
    details: dict[UUID, str | None] = {}
    for approval_id in sorted(set(approval_ids)):
        details[approval_id] = None
        try:
            async with session.begin_nested():
                await decide(
                    session,
                    steps,
                    approval_id,
                    decision,
                    reason=reason,
                    caller=caller,
                    clock=clock,
                )
        except Problem as problem:
            details[approval_id] = problem.detail
    return [
        DecidedOut(approval_id=approval_id, decided=detail is None, detail=detail)
        for approval_id in approval_ids
        for detail in [details[approval_id]]
    ]


async def get(
    session: AsyncSession, steps: Steps, approval_id: UUID, *, bound: Bound = None, clock: Clock
) -> ApprovalOut:
    """A proposal as it stands; raises NotFound."""
    proposal = await repository.find(session, steps.table, approval_id, shown=steps.shown_to(bound))
    if proposal is None:
        raise NotFound("There is no such proposal. GET /v1/approvals lists them.")
    return shown(proposal, now=clock.now())


async def list_page(
    session: AsyncSession,
    steps: Steps,
    page: Page,
    *,
    status: ApprovalStatus,
    kind: StrEnum | None,
    bound: Bound,
    clock: Clock,
) -> PageOf[ApprovalOut]:
    """A page of proposals, oldest first."""
    now = clock.now()
    rows = await repository.list_approvals(
        session,
        steps.table,
        status=status,
        kind=kind,
        now=now,
        shown=steps.shown_to(bound),
        after=page.after(UUID),
        limit=page.fetch_limit,
    )
    return page.of([shown(row, now=now) for row in rows], key=lambda proposal: (proposal.id,))


def _require_another_person(proposal: Approval, caller: Caller) -> None:
    if not caller.is_person:
        raise Forbidden("A program cannot approve a step. Ask a person who had no part in it.")
    if caller.subject == proposal.proposed_by:
        raise Conflict(
            "Whoever proposed a step cannot approve it. Ask a second person to approve it, or "
            "withdraw it: DELETE /v1/approvals/{approval_id}."
        )
    if caller.subject in proposal.evidence_by:
        raise Conflict(
            "You posted what this step follows from: the rule, the threshold or the figure. Ask a "
            "person to approve it who had no part in it."
        )


def status_of(proposal: Approval, *, now: datetime) -> ApprovalStatus:
    """How a proposal stands at one moment."""
    if proposal.decision is not None:
        return ApprovalStatus(proposal.decision.value)
    return ApprovalStatus.WAITING if proposal.expires_at > now else ApprovalStatus.EXPIRED


def shown(proposal: Approval, *, now: datetime) -> ApprovalOut:
    """A proposal as its body shows it."""
    return ApprovalOut(
        id=proposal.id,
        kind=str(proposal.kind),
        status=status_of(proposal, now=now),
        what=proposal.what,
        document=proposal.document,
        households=proposal.households,
        amount_minor=proposal.amount_minor,
        currency=proposal.currency,
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        reason=proposal.reason,
        evidence_by=proposal.evidence_by,
        expires_at=proposal.expires_at,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        decision_reason=proposal.decision_reason,
        outcome=proposal.outcome,
    )
