"""Budget lines of funds over HTTP."""

from fastapi import APIRouter, Response

from services.payments.budget_lines import repository, service
from services.payments.budget_lines.schemas import BudgetLineIn, BudgetLineOut
from services.payments.funds.schemas import FundCode
from services.payments.funds.service import get_fund
from services.payments.listing import by_code, page_of_rows
from services.payments.moments import Moment
from services.payments.scopes import FundsRead, FundsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/funds/{fund_code}/budget-lines", tags=["funds"])


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose a budget line, or another ceiling for one",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def propose_budget_line(
    fund_code: FundCode,
    body: BudgetLineIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Schemes name a line of their fund as what they are booked on. Another person approves it;
    then a round that would take the line over its ceiling waits, as one does that its fund does
    not cover."""
    return await once.reply(
        body,
        lambda: service.propose(session, steps, fund_code, body, caller=caller, clock=clock),
        status_code=202,
    )


@router.get(
    "", summary="List a fund's budget lines", responses=problem_responses(400, 401, 403, 404, 422)
)
async def list_budget_lines(
    fund_code: FundCode, _: FundsRead, session: Session, page: PageQuery, at: Moment
) -> PageOf[BudgetLineOut]:
    """Every line with what is committed and spent on it, now or at a past moment. Names and
    ceilings are those of now."""
    await get_fund(session, fund_code)
    rows = await repository.list_lines(
        session, fund_code, at=at, after=page.after(str), limit=page.fetch_limit
    )
    return page_of_rows(page, rows, BudgetLineOut, key=by_code)


@router.get(
    "/{line_code}", summary="Get a budget line", responses=problem_responses(401, 403, 404, 422)
)
async def get_budget_line(
    fund_code: FundCode, line_code: Code, _: FundsRead, session: Session
) -> BudgetLineOut:
    """One line, its ceiling, and what is committed and spent on it."""
    return await service.get(session, fund_code, line_code)
