"""What is held by rule before it is sent, and the rules, which two persons set."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.payments.existence import look_up
from services.payments.holds import service
from services.payments.holds.repository import HoldFilter
from services.payments.holds.schemas import CountedOut, HoldOut, HoldRulesIn, HoldRulesOut
from services.payments.holds.states import HoldRule
from services.payments.listing import ActivationFilter
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery
from shared.values import Whole

router = APIRouter(tags=["holds"])


@router.get("/holds", summary="List holds", responses=problem_responses(400, 401, 403, 422))
async def list_holds(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    activation_id: ActivationFilter = None,
    rule: Annotated[HoldRule | None, Query(description="Only those by this rule.")] = None,
    scheme: Annotated[Code | None, Query(description="Only those of this scheme.")] = None,
    provider: Annotated[
        ProviderCode | None, Query(description="Only those at this provider.")
    ] = None,
    instruction_id: Annotated[UUID | None, Query(description="Only those of this payment.")] = None,
    ended: Annotated[bool, Query(description="Also those that were decided on.")] = False,
) -> PageOf[HoldOut]:
    """Payments that a rule keeps from being sent, each with what the rule found and its age,
    oldest first. `POST /v1/holds/decisions` ends them."""
    chosen = HoldFilter(rule, scheme, activation_id, provider, instruction_id)
    return await service.list_holds(session, page, chosen, ended=ended, clock=clock)


@router.get(
    "/holds/{number}/payments",
    summary="List what a rule counted",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_counted(
    number: Annotated[int, Whole(least=1, most=2**63 - 1)],
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
) -> PageOf[CountedOut]:
    """The payments by which a rule held one: those into the same account, or to the same
    household. No account is shown."""
    return await service.list_counted(session, number, page)


@router.get(
    "/hold-rules", summary="List hold rules", responses=problem_responses(400, 401, 403, 422)
)
async def list_rules(_: PaymentsRead, session: Session, page: PageQuery) -> PageOf[HoldRulesOut]:
    """By scheme, what is held before it is sent. A scheme that is not here holds nothing."""
    return await service.list_rules(session, page)


@router.post(
    "/hold-rules",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose hold rules",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def propose_rules(
    body: HoldRulesIn,
    caller: PaymentsWrite,
    session: Session,
    request: Request,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """The rules of a scheme, whole. Once another person approves them, each round of the scheme
    that is released from then on is looked at by them; what they find waits for two persons. A
    scheme that does not exist is refused; where the registry does not say, the proposal does."""
    named = await look_up(
        request.app.state.registry,
        scheme=body.scheme,
        authorization=request.headers["Authorization"],
    )
    return await once.reply(
        body,
        lambda: service.propose_rules(
            session, steps, body, named=named, caller=caller, clock=clock
        ),
        status_code=202,
    )
