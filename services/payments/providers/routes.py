"""Providers: the money that is with them."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.payments.listing import page_of_rows
from services.payments.providers import service
from services.payments.providers.schemas import ChargesIn, PrefundingIn, ProviderCode, ProviderOut
from services.payments.reversals.repository import list_prefundings
from services.payments.reversals.schemas import BroughtInOut
from services.payments.scopes import FundsRead, FundsWrite, PaymentsRead
from services.payments.settings import Settings
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/providers", tags=["providers"])


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


@router.get("", summary="List providers", responses=problem_responses(400, 401, 403, 422))
async def list_providers(
    _: PaymentsRead, session: Session, page: PageQuery, request: Request
) -> PageOf[ProviderOut]:
    """Every provider with its float, what is in transit, what waits for money or time, and how it
    answers."""
    providers = await service.list_providers(
        session, after=page.after(str), limit=page.fetch_limit, settings=_settings(request)
    )
    return page.of(providers, key=lambda provider: (provider.code,))


@router.get(
    "/{provider_code}",
    summary="Get a provider",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_provider(
    provider_code: ProviderCode, _: PaymentsRead, session: Session, request: Request
) -> ProviderOut:
    """One provider with its float, what is in transit, what waits for money or time, and how it
    answers."""
    return await service.get_provider(session, provider_code, settings=_settings(request))


@router.post(
    "/{provider_code}/prefundings",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose a prefunding of a provider",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def propose_prefunding(
    provider_code: ProviderCode,
    body: PrefundingIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Treasury money paid to the provider is recorded once another person approves it: the
    provider sends no more than its float covers."""
    return await once.reply(
        body,
        lambda: service.propose_prefunding(
            session, steps, provider_code, body, caller=caller, clock=clock
        ),
        status_code=202,
    )


@router.get(
    "/{provider_code}/prefundings",
    summary="List the prefundings of a provider",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_provider_prefundings(
    provider_code: ProviderCode, _: FundsRead, session: Session, page: PageQuery, request: Request
) -> PageOf[BroughtInOut]:
    """What two persons recorded as paid to the provider, in the order of the proposals, and which
    of it was taken back by a reversal."""
    await service.get_provider(session, provider_code, settings=_settings(request))
    rows = await list_prefundings(
        session, provider_code, after=page.after(UUID), limit=page.fetch_limit
    )
    return page_of_rows(page, rows, BroughtInOut, key=lambda row: (row.id,))


@router.post(
    "/{provider_code}/charges",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose what a provider took or was paid of its charges",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def propose_charges(
    provider_code: ProviderCode,
    body: ChargesIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """What the provider's statement or invoice tells is recorded once another person approves it,
    and stands against what its payments were to cost."""
    return await once.reply(
        body,
        lambda: service.propose_charges(
            session, steps, provider_code, body, caller=caller, clock=clock
        ),
        status_code=202,
    )
