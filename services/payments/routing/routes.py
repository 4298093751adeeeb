"""Who pays in whose place: rules that two persons set."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.payments.providers.schemas import ProviderCode
from services.payments.routing import service
from services.payments.routing.schemas import RouteIn, RouteOut
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/routes", tags=["routing"])


@router.get("", summary="List routes", responses=problem_responses(400, 401, 403, 422))
async def list_routes(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    provider: Annotated[
        ProviderCode | None, Query(description="Only those about this provider.")
    ] = None,
) -> PageOf[RouteOut]:
    """Who pays in a provider's place, when, and how much did. Versions, the latest first: of each
    provider the first is in force."""
    return await service.list_routes(session, page, provider=provider)


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose a route",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_route(
    request: Request,
    body: RouteIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """A further version of the rule about a provider, whole. Once another person approves it, what
    was never claimed goes the other way while one of its causes holds."""
    settings = request.app.state.settings
    return await once.reply(
        body,
        lambda: service.propose_route(
            session, steps, body, caller=caller, settings=settings, clock=clock
        ),
        status_code=202,
    )
