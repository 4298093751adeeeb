"""Funds: what is set aside, promised and spent."""

from fastapi import APIRouter, Response

from services.payments.funds import repository, service
from services.payments.funds.schemas import DepositIn, FundCode, FundIn, FundOut
from services.payments.listing import by_code, page_of_rows
from services.payments.scopes import FundsRead, FundsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/funds", tags=["funds"])


@router.post(
    "",
    status_code=201,
    response_model=FundOut,
    summary="Open a fund",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def create_fund(
    body: FundIn, _: FundsWrite, session: Session, once: Once, clock: ClockDependency
) -> Response:
    """Opens a fund with its ledger accounts; schemes name it as where their money comes from."""
    return await once.reply(
        body,
        lambda: service.create_fund(session, body, at=clock.now()),
        status_code=201,
    )


@router.get("", summary="List funds", responses=problem_responses(400, 401, 403, 422))
async def list_funds(_: FundsRead, session: Session, page: PageQuery) -> PageOf[FundOut]:
    """Every fund with its balances, in the order of the codes."""
    rows = await repository.list_funds(session, after=page.after(str), limit=page.fetch_limit)
    return page_of_rows(page, rows, FundOut, key=by_code)


@router.get("/{fund_code}", summary="Get a fund", responses=problem_responses(401, 403, 404, 422))
async def get_fund(fund_code: FundCode, _: FundsRead, session: Session) -> FundOut:
    """One fund and what of it is available, committed and spent."""
    return await service.get_fund(session, fund_code)


@router.post(
    "/{fund_code}/deposits",
    status_code=201,
    response_model=FundOut,
    summary="Pay into a fund",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def deposit(
    fund_code: FundCode,
    body: DepositIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """Records money that arrived for the fund. Rounds that waited for it are released by it."""
    return await once.reply(
        body,
        lambda: service.deposit(session, fund_code, body, by=caller.subject, at=clock.now()),
        status_code=201,
    )
