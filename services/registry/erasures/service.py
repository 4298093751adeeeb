"""Erasing all households whose time is over: two persons decide it as one, the worker does it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import ApprovalKind
from services.registry.erasures import repository
from services.registry.erasures.repository import Rule
from services.registry.erasures.schemas import DueForErasureOut, ErasuresIn, ErasuresOut
from services.registry.settings import Settings
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX

MOST_AT_ONCE = 100_000
"""Households of one proposal."""


async def list_due(
    session: AsyncSession, *, settings: Settings, page: Page, now: datetime
) -> PageOf[DueForErasureOut]:
    """A page of the households whose time is over, by id."""
    rule = await _rule(session, settings, now)
    rows = await repository.list_due(session, rule, after=page.after(UUID), limit=page.fetch_limit)
    due = [
        DueForErasureOut(**row._asdict(), archived_days=(now - row.archived_at).days)
        for row in rows
    ]
    return page.of(due, key=lambda household: (household.id,))


async def propose(
    session: AsyncSession,
    steps: Steps,
    given: ErasuresIn,
    *,
    settings: Settings,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to erase everybody who is due now; raises Conflict where nobody is."""
    rule = await _rule(session, settings, clock.now())
    count = await repository.count_due(session, rule, limit=MOST_AT_ONCE)
    if not count:
        raise Conflict("No household is due. GET /v1/households/erasures-due says by which rule.")
    batch_id = new_id()
    proposal = await approvals.propose(
        session,
        steps,
        ApprovalKind.ERASURES,
        {
            "households": count,
            "archived_before": rule.archived_before.isoformat(),
            "paid_before": rule.paid_before.isoformat(),
        },
        Effect(
            what=f"Erase for good who the members of {count:,} households were, archived before "
            f"{rule.archived_before.date()} and paid nothing since {rule.paid_before.date()}.",
            households=count,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
        approval_id=batch_id,
    )
    planned = await repository.plan(session, batch_id, rule, limit=MOST_AT_ONCE)
    if planned != count:
        raise Conflict("Households were changed meanwhile. Ask again.")
    return proposal


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Have everybody erased who was due: the worker does it, some hundreds at a time."""
    await repository.approve_batch(session, proposal.id, at=clock.now())
    return f"{API_PREFIX}/households/erasures/{proposal.id}"


async def get(session: AsyncSession, batch_id: UUID, *, now: datetime) -> ErasuresOut:
    """An erasure of many as it stands; raises NotFound."""
    found = await repository.find_batch(session, batch_id)
    if found is None:
        raise NotFound("There is no such erasure. GET /v1/approvals?kind=erasures lists them.")
    batch, proposal = found
    return ErasuresOut(
        id=batch.id,
        status=approvals.status_of(proposal, now=now),
        archived_before=batch.archived_before,
        paid_before=batch.paid_before,
        households=batch.households,
        erased=batch.erased,
        passed_over=batch.passed_over,
        approved_at=batch.approved_at,
        finished_at=batch.finished_at,
    )


async def _rule(session: AsyncSession, settings: Settings, now: datetime) -> Rule:
    return await repository.rule_of(
        session,
        archived_months=settings.archived_months,
        accounting_months=settings.accounting_months,
        now=now,
    )
