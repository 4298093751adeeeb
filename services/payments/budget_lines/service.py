"""Opening budget lines and moving their ceilings, by two persons."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.budget_lines import repository
from services.payments.budget_lines.schemas import BudgetLineIn, BudgetLineOut
from services.payments.funds.repository import lock_bounds
from services.payments.funds.service import get_fund
from services.payments.ledger.accounts import AccountScope, scope_of_line
from services.payments.ledger.repository import open_accounts
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound


def budget_line_step(waits: timedelta) -> Step:
    """Lines and their ceilings as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.BUDGET_LINE, waits=waits, carry_out=_set)


async def propose(
    session: AsyncSession,
    steps: Steps,
    fund_code: str,
    given: BudgetLineIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose a line of a fund, or another ceiling for one; raises NotFound."""
    fund = await get_fund(session, fund_code)
    line = await repository.find_line(session, fund.code, given.code)
    ceiling = readable(given.ceiling_minor, fund.currency)
    what = f"Open budget line {given.code} of fund {fund.code}: it may come to {ceiling}."
    if line is not None:
        what = (
            f"Let budget line {given.code} of fund {fund.code} come to {ceiling}. Until now that "
            f"is {readable(line.ceiling_minor, fund.currency)}, of which "
            f"{readable(line.committed_minor + line.spent_minor, fund.currency)} is committed or "
            "spent."
        )
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.BUDGET_LINE,
        {
            "fund": fund.code,
            "line": given.code,
            "name": given.name,
            "ceiling_minor": given.ceiling_minor,
            "ceiling_before_minor": None if line is None else line.ceiling_minor,
        },
        Effect(what=what, amount_minor=given.ceiling_minor, currency=fund.currency),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def get(session: AsyncSession, fund: str, code: str) -> BudgetLineOut:
    """A line with what is committed and spent on it; raises NotFound."""
    row = await repository.find_line(session, fund, code)
    if row is None:
        raise NotFound(
            f"Fund {fund} has no budget line {code}. GET /v1/funds/{fund}/budget-lines lists them."
        )
    return BudgetLineOut.model_validate(row._asdict())


async def _set(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    given = proposal.document
    fund, code = str(given["fund"]), str(given["line"])
    known = await lock_bounds(session, fund)
    assert known is not None  # it was there when this was proposed, and funds stay
    line = await repository.find_line(session, fund, code)
    if (None if line is None else line.ceiling_minor) != given["ceiling_before_minor"]:
        raise Conflict(
            f"Budget line {code} was opened, or its ceiling changed, after this was proposed. Read "
            f"it with GET /v1/funds/{fund}/budget-lines/{code}, and propose it again."
        )
    await repository.set_line(
        session,
        fund,
        code,
        name=str(given["name"]),
        ceiling_minor=int(given["ceiling_minor"]),
        at=clock.now(),
    )
    await open_accounts(
        session,
        kept_for=AccountScope.LINE,
        scope=scope_of_line(fund, code),
        currency=known.currency,
    )
    return f"/v1/funds/{fund}/budget-lines/{code}"
