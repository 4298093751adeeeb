"""Providers: the money that is with them."""

from fastapi import APIRouter, Request, Response

from services.payments.providers import service
from services.payments.providers.schemas import PrefundingIn, Provider, ProviderCode
from services.payments.scopes import FundsWrite, PaymentsRead
from services.payments.settings import Settings
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(prefix="/providers", tags=["providers"])


def _configured(request: Request) -> set[str]:
    settings: Settings = request.app.state.settings
    return {provider.code for provider in settings.providers}


@router.get("", summary="List providers", responses=problem_responses(400, 401, 403, 422))
async def list_providers(
    caller: PaymentsRead, session: Session, page: PageQuery, request: Request
) -> PageOf[Provider]:
    """Every provider with its float, what is in transit, and what waits for money or time."""
    after = decode_cursor(page.cursor, str)[0] if page.cursor else ""
    providers = await service.list_providers(
        session, after=after, limit=page.limit + 1, configured=_configured(request)
    )
    return page_of(providers, page=page, key=lambda provider: (provider.code,))


@router.post(
    "/{provider_code}/prefundings",
    status_code=201,
    response_model=Provider,
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
            session, provider_code, body, at=clock.now(), configured=_configured(request)
        ),
        status_code=201,
    )
