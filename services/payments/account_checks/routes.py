"""What is known of accounts that payments go to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.account_checks import service
from services.payments.account_checks.repository import CheckFilter
from services.payments.account_checks.schemas import AccountCheckOut, PreparedAccountsOut
from services.payments.account_checks.states import AccountOutcome
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/account-checks", tags=["holds"])


@router.get("", summary="List checked accounts", responses=problem_responses(400, 401, 403, 422))
async def list_checks(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    household_id: Annotated[UUID | None, Query(description="Only of this household.")] = None,
    provider: Annotated[ProviderCode | None, Query(description="Only at this provider.")] = None,
    outcome: Annotated[
        AccountOutcome | None, Query(description="Only those that ended so.")
    ] = None,
    readiness_id: Annotated[
        UUID | None,
        Query(description="Only those of whomever this trigger that is ready would have paid."),
    ] = None,
) -> PageOf[AccountCheckOut]:
    """Accounts that were asked about before they were paid, each with what its provider and the
    registry said. Neither the account nor a name is shown; none is kept here."""
    return await service.list_checks(
        session, page, CheckFilter(household_id, provider, outcome, readiness_id)
    )


@router.get(
    "/preparations",
    summary="List accounts checked before a shock",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_preparations(
    _: PaymentsRead, session: Session, page: PageQuery
) -> PageOf[PreparedAccountsOut]:
    """By trigger that is ready, how many accounts it would have paid can be, before anything
    happens. Those that cannot are listed by `GET /v1/account-checks` with its `readiness_id` and
    an `outcome`: mended in the registry, they are asked about again."""
    return await service.list_preparations(session, page)
