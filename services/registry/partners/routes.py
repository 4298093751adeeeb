"""Partners over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.registry.partners import service
from services.registry.partners.schemas import PartnerIn, PartnerOut
from services.registry.scopes import PartnersRead, PartnersWrite
from services.registry.settings import ApiSettings
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/partners", tags=["partners"])

SenderInPath = Annotated[
    str,
    Path(
        max_length=99,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        examples=["spmis.mosvy.gov.kh"],
    ),
]


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose a partner",
    responses=problem_responses(400, 401, 403, 422),
)
async def propose_partner(
    body: PartnerIn,
    caller: PartnersWrite,
    session: Session,
    request: Request,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """A system whose messages are taken at `/spdci` once another person approves it; of one that
    is a partner already, what holds from then on. What it may ask is up to its token's scopes."""
    settings: ApiSettings = request.app.state.settings
    return await once.reply(
        body,
        lambda: service.propose(
            session, steps, body, judge=settings.partner_judge, caller=caller, clock=clock
        ),
        status_code=202,
    )


@router.get("", summary="List partners", responses=problem_responses(400, 401, 403, 422))
async def list_partners(_: PartnersRead, session: Session, page: PageQuery) -> PageOf[PartnerOut]:
    """Every partner, by id, also those that have ended."""
    return await service.list_page(session, page)


@router.get(
    "/{sender_id}", summary="Read one partner", responses=problem_responses(401, 403, 404, 422)
)
async def get_partner(sender_id: SenderInPath, _: PartnersRead, session: Session) -> PartnerOut:
    """One partner, with the keys that it signs by."""
    return await service.get(session, sender_id)


@router.delete(
    "/{sender_id}",
    summary="End a partner",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def end_partner(
    sender_id: SenderInPath, _: PartnersWrite, session: Session, clock: ClockDependency
) -> PartnerOut:
    """From now on nothing is taken from it, nor sent to it. One person is enough: it is how a
    partner whose key is lost is stopped at once."""
    return await service.end(session, sender_id, clock=clock)
