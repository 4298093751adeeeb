"""What has no end, or not a good one: nothing stays there without a way out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.payments.listing import ActivationFilter
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import PaymentsRead
from services.payments.unresolved import service
from services.payments.unresolved.kinds import UnresolvedKind
from services.payments.unresolved.limits import Limits
from services.payments.unresolved.schemas import UnresolvedItemOut, UnresolvedListOut
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery
from shared.values import Text

router = APIRouter(prefix="/unresolved", tags=["unresolved"])


@router.get("", summary="Count what is unresolved", responses=problem_responses(401, 403))
async def get_unresolved(
    _: PaymentsRead, session: Session, request: Request, clock: ClockDependency
) -> UnresolvedListOut:
    """Each way in which a payment has no end or not the end that was wanted: how many, how much
    money, how old the oldest is, and which call is the way out."""
    return await service.overview(session, Limits.of(request.app.state.settings), clock=clock)


@router.get(
    "/{kind}",
    summary="List what is unresolved",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_unresolved(
    kind: UnresolvedKind,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    request: Request,
    clock: ClockDependency,
    activation_id: ActivationFilter = None,
    provider: Annotated[
        ProviderCode | None,
        Query(description="Only those at this provider."),
    ] = None,
    reason: Annotated[
        Annotated[str, Text(longest=200)] | None,
        Query(description="Only those with this reason."),
    ] = None,
) -> PageOf[UnresolvedItemOut]:
    """The payments, or callbacks, of one kind with their age, oldest first."""
    return await service.list_page(
        session,
        kind,
        Limits.of(request.app.state.settings),
        page,
        provider=provider,
        activation_id=activation_id,
        reason=reason,
        clock=clock,
    )
