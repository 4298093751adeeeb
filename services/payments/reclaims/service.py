"""Giving money that came back, and that nobody claimed, back to its fund, by two persons."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.funds.repository import lock_bounds
from services.payments.funds.service import get_fund
from services.payments.ledger.accounts import (
    RETURN_RESTORED,
    RETURN_UNSPENT,
    on_a_line,
    scope_of_line,
)
from services.payments.ledger.repository import post
from services.payments.reclaims import repository
from services.payments.reclaims.schemas import ReclaimIn, ReclaimItemOut, ReclaimOut
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import COUNTRY_ZONE, Clock
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf

MISSING = "There is no such reclaim. GET /v1/reclaims lists them."


def reclaim_step(waits: timedelta) -> Step:
    """Reclaims as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.RECLAIM, waits=waits, carry_out=_give_back)


async def propose(
    session: AsyncSession,
    steps: Steps,
    given: ReclaimIn,
    *,
    claim_days: int,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to give money that came back to its fund; raises NotFound, Conflict.

    ``claim_days``: for so long it is kept for its household, unless its payment is named.
    """
    fund = await get_fund(session, given.fund)
    if given.returned_before is not None:
        latest = clock.today() - timedelta(days=claim_days)
        if given.returned_before > latest:
            raise Conflict(
                f"What came back is kept for its household for {claim_days} days: give "
                f"{latest.isoformat()} or an earlier day, or name the payments."
            )
    document = given.model_dump(mode="json", exclude={"reason"}, exclude_none=True)
    found = await repository.sum_unclaimed(session, **_chosen(document))
    if found.payments == 0 or found.payments < len(set(given.instruction_ids or ())):
        raise Conflict(
            "There is no such payment, or not all of these are: only what was paid and came back "
            f"to {given.provider}, from fund {given.fund}, and was not given back yet goes back. "
            "GET /v1/unresolved/returned lists it."
        )
    amount = readable(found.amount_minor, fund.currency)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.RECLAIM,
        {**document, "payments": found.payments},
        Effect(
            what=f"Give {amount} back to fund {given.fund}: {found.payments:,} payments that came "
            f"back to {given.provider} and that nobody claimed.",
            households=found.households,
            amount_minor=found.amount_minor,
            currency=fund.currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def get(session: AsyncSession, reclaim_id: UUID) -> ReclaimOut:
    """A reclaim with who decided on it; raises NotFound."""
    row = await repository.find_reclaim(session, reclaim_id)
    if row is None:
        raise NotFound(MISSING)
    return ReclaimOut.model_validate(row._asdict())


async def list_items(session: AsyncSession, reclaim_id: UUID, page: Page) -> PageOf[ReclaimItemOut]:
    """A page of a reclaim's payments; raises NotFound."""
    await get(session, reclaim_id)
    rows = await repository.list_items(
        session, reclaim_id, after=page.after(UUID), limit=page.fetch_limit
    )
    items = [ReclaimItemOut.model_validate(row._asdict()) for row in rows]
    return page.of(items, key=lambda item: (item.instruction_id,))


async def _give_back(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    chosen = _chosen(proposal.document)
    fund, provider = chosen["fund"], chosen["provider"]
    # One after the other: the same payment is given back once.
    bounds = await lock_bounds(session, fund)
    assert bounds is not None  # it was there when this was proposed, and funds stay
    sums = await repository.take_unclaimed(session, proposal.id, **chosen)
    amount_minor = sum(row.amount_minor for row in sums)
    payments = sum(row.payments for row in sums)
    if (payments, amount_minor) != (proposal.document["payments"], proposal.amount_minor):
        raise Conflict(
            f"That is {payments:,} payments and {readable(amount_minor, bounds.currency)} now: "
            "some were given back since this was proposed. Propose it again."
        )
    at = clock.now()
    await repository.insert_reclaim(
        session,
        proposal.id,
        fund=fund,
        provider=provider,
        amount_minor=amount_minor,
        currency=bounds.currency,
        at=at,
    )
    on_line = on_a_line(RETURN_UNSPENT)
    assert on_line is not None
    lines = [(scope_of_line(fund, row.budget_line), row) for row in sums if row.budget_line]
    for posting, debit_scope, credit_scope, minor in (
        (RETURN_RESTORED, provider, fund, amount_minor),
        (RETURN_UNSPENT, fund, fund, amount_minor),
        *((on_line, scope, scope, row.amount_minor) for scope, row in lines),
    ):
        await post(
            session,
            posting,
            debit_scope=debit_scope,
            credit_scope=credit_scope,
            amount_minor=minor,
            currency=bounds.currency,
            posted_at=at,
            posted_by=proposal.proposed_by,
            reason=proposal.reason,
            approval_id=proposal.id,
        )
    return f"/v1/reclaims/{proposal.id}"


def _chosen(document: dict[str, Any]) -> dict[str, Any]:
    """Which payments a proposal is about, for the repository."""
    day: str | None = document.get("returned_before")
    ids: Sequence[str] | None = document.get("instruction_ids")
    return {
        "fund": str(document["fund"]),
        "provider": str(document["provider"]),
        "before": day
        and datetime.combine(datetime.fromisoformat(day).date(), time(), COUNTRY_ZONE),
        "ids": ids and sorted({UUID(each) for each in ids}),
    }
