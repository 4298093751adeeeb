"""Sweeps: what has its end here, compared with what the providers say."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.payments.scopes import PaymentsRead, PaymentsWrite
from services.payments.settings import Settings
from services.payments.sweeps import service
from services.payments.sweeps.schemas import SweepIn, SweepItemOut, SweepOut
from services.payments.sweeps.tables import Finding
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/sweeps", tags=["sweeps"])


@router.post(
    "",
    status_code=201,
    response_model=SweepOut,
    summary="Begin a sweep",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def begin(
    body: SweepIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
    request: Request,
) -> Response:
    """Asks providers about settled and rejected payments, behind all other work, and compares
    amount, currency, reference and state. What differs is an alarm; what was booked after all is
    recorded as any late success is, and nothing else is moved."""
    settings: Settings = request.app.state.settings
    return await once.reply(
        body,
        lambda: service.begin(
            session,
            body,
            configured=[provider.code for provider in settings.providers],
            caller=caller,
            clock=clock,
        ),
    )


@router.get("", summary="List sweeps", responses=problem_responses(400, 401, 403, 422))
async def list_sweeps(_: PaymentsRead, session: Session, page: PageQuery) -> PageOf[SweepOut]:
    """Every sweep with how far it is, oldest first."""
    return await service.list_page(session, page)


@router.get("/{sweep_id}", summary="Get a sweep", responses=problem_responses(401, 403, 404, 422))
async def get_sweep(sweep_id: UUID, _: PaymentsRead, session: Session) -> SweepOut:
    """How many payments were asked about, and how many agree, differ or have no answer."""
    return await service.get(session, sweep_id)


@router.get(
    "/{sweep_id}/items",
    summary="List a sweep's payments",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_items(
    sweep_id: UUID,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    finding: Annotated[Finding | None, Query(description="Only those, such as `differs`.")] = None,
) -> PageOf[SweepItemOut]:
    """Each payment of the sweep, with what was found and in what it differs."""
    return await service.list_items(session, sweep_id, page, finding=finding)
