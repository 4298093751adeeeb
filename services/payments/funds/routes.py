"""Funds: what is set aside, promised and spent."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.payments.funds import repository, service
from services.payments.funds.schemas import DepositIn, FundBoundsIn, FundCode, FundIn, FundOut
from services.payments.listing import by_code, page_of_rows
from services.payments.moments import Moment
from services.payments.reversals.repository import list_deposits
from services.payments.reversals.schemas import BroughtInOut
from services.payments.scopes import FundsRead, FundsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/funds", tags=["funds"])


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to open a fund",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def propose_fund(
    body: FundIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Schemes name a fund as where their money comes from. Another person approves it; then it has
    its ledger accounts, and its bounds hold for whatever is paid from it."""
    return await once.reply(
        body,
        lambda: service.propose_fund(session, steps, body, caller=caller, clock=clock),
        status_code=202,
    )


@router.get("", summary="List funds", responses=problem_responses(400, 401, 403, 422))
async def list_funds(_: FundsRead, session: Session, page: PageQuery) -> PageOf[FundOut]:
    """Every fund with its bounds and balances, in the order of the codes."""
    rows = await repository.list_funds(session, after=page.after(str), limit=page.fetch_limit)
    return page_of_rows(page, rows, FundOut, key=by_code)


@router.get("/{fund_code}", summary="Get a fund", responses=problem_responses(401, 403, 404, 422))
async def get_fund(fund_code: FundCode, _: FundsRead, session: Session, at: Moment) -> FundOut:
    """One fund and what of it is available, committed and spent, now or at a past moment. Its name
    and bounds are those of now."""
    return await service.get_fund(session, fund_code, at=at)


@router.post(
    "/{fund_code}/bounds",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose other bounds for a fund",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def propose_bounds(
    fund_code: FundCode,
    body: FundBoundsIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """What one household may get at a time, and what one round may come to without two persons.
    They hold once another person approves them, for what is not released yet."""
    return await once.reply(
        body,
        lambda: service.propose_bounds(session, steps, fund_code, body, caller=caller, clock=clock),
        status_code=202,
    )


@router.post(
    "/{fund_code}/deposits",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose a deposit into a fund",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def propose_deposit(
    fund_code: FundCode,
    body: DepositIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Money that arrived for the fund is recorded once another person approves it. Rounds that
    waited for it are released by it."""
    return await once.reply(
        body,
        lambda: service.propose_deposit(
            session, steps, fund_code, body, caller=caller, clock=clock
        ),
        status_code=202,
    )


@router.get(
    "/{fund_code}/deposits",
    summary="List the deposits into a fund",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_fund_deposits(
    fund_code: FundCode, _: FundsRead, session: Session, page: PageQuery
) -> PageOf[BroughtInOut]:
    """What two persons recorded as arrived for the fund, in the order of the proposals, and which
    of it was taken back by a reversal."""
    await service.get_fund(session, fund_code)
    rows = await list_deposits(session, fund_code, after=page.after(UUID), limit=page.fetch_limit)
    return page_of_rows(page, rows, BroughtInOut, key=lambda row: (row.id,))
