"""Reports: whether a provider's statement of a day and our books say the same."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.payments.reconciliation.routes import DayQuery, ProviderQuery
from services.payments.reports import service
from services.payments.reports.page import page
from services.payments.reports.schemas import ReconciliationOut
from services.payments.scopes import PaymentsRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.pages import HEADERS
from shared.wording.phrase import Language

router = APIRouter(prefix="/reconciliations", tags=["reconciliations"])


@router.get(
    "",
    summary="Read the report of a provider and day",
    responses=problem_responses(401, 403, 404, 422),
)
async def read_report(
    provider: ProviderQuery,
    day: DayQuery,
    _: PaymentsRead,
    session: Session,
    clock: ClockDependency,
) -> ReconciliationOut:
    """Everything matches, or exactly what does not: lines, payments and balances, as both sides
    stand now."""
    return await service.report_of(session, provider=provider, day=day, clock=clock)


@router.get(
    "/page",
    summary="See the report of a provider and day",
    response_class=HTMLResponse,
    responses=problem_responses(401, 403, 404, 422),
)
async def show_report(
    provider: ProviderQuery,
    day: DayQuery,
    _: PaymentsRead,
    session: Session,
    clock: ClockDependency,
    language: Annotated[
        Language, Query(description="In which language it is: `en`, or `km` for Khmer.")
    ] = Language.ENGLISH,
) -> HTMLResponse:
    """The same on a page to be printed, signed and filed, in English or in Khmer. It asks for
    nothing else, and no script runs in it."""
    report = await service.report_of(session, provider=provider, day=day, clock=clock)
    return HTMLResponse(page(report, language), headers=HEADERS)
