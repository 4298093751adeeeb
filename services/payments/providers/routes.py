"""Providers: the money that is with them."""

from fastapi import APIRouter, Request, Response

from services.payments.providers import service
from services.payments.providers.schemas import PrefundingIn, ProviderCode, ProviderOut
from services.payments.scopes import FundsWrite, PaymentsRead
from services.payments.settings import Settings
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/providers", tags=["providers"])


def _configured(request: Request) -> set[str]:
    settings: Settings = request.app.state.settings
    return {provider.code for provider in settings.providers}


@router.get("", summary="List providers", responses=problem_responses(400, 401, 403, 422))
async def list_providers(
    _: PaymentsRead, session: Session, page: PageQuery, request: Request
) -> PageOf[ProviderOut]:
    """Every provider with its float, what is in transit, and what waits for money or time."""
    providers = await service.list_providers(
        session, after=page.after(str), limit=page.fetch_limit, configured=_configured(request)
    )
    return page.of(providers, key=lambda provider: (provider.code,))


@router.post(
    "/{provider_code}/prefundings",
    status_code=201,
    response_model=ProviderOut,
    summary="Prefund a provider",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def prefund(
    provider_code: ProviderCode,
    body: PrefundingIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
    request: Request,
) -> Response:
    """Records treasury money paid to the provider: it sends no more than its float covers."""
    return await once.reply(
        body,
        lambda: service.prefund(
            session,
            provider_code,
            body,
            by=caller.subject,
            at=clock.now(),
            configured=_configured(request),
        ),
        status_code=201,
    )
