"""Steps that need two persons, over HTTP: the same routes in every service that has such steps."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.approvals import service
from shared.approvals.schemas import (
    ApprovalOut,
    ApprovalStatus,
    DecisionIn,
    DecisionsIn,
    DecisionsOut,
)
from shared.approvals.steps import Steps
from shared.approvals.tables import Decision
from shared.auth.bearer import AnyCaller
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery


async def _steps(request: Request) -> Steps:
    steps: Steps = request.app.state.steps
    return steps


TwoPersonSteps = Annotated[Steps, Depends(_steps)]
"""The service's own, for routes that propose one of them."""

StatusFilter = Annotated[ApprovalStatus, Query(description="Only those that stand so.")]


def approval_routes(
    kinds: Any, *, reader: Any, decider: Any, is_narrowed: bool = False
) -> APIRouter:
    """The router of one service, whose app has its steps in ``state.steps``.

    ``kinds`` is the service's enumeration of them, ``reader`` and ``decider`` the callers' types.
    ``is_narrowed``: whoever is bound to areas is told what its steps say is about these alone.
    """
    router = APIRouter(prefix="/approvals", tags=["approvals"])
    kind_filter = Annotated[kinds | None, Query(description="Only those of this kind of step.")]

    async def list_approvals(
        reading: Any,
        session: Session,
        page: PageQuery,
        clock: ClockDependency,
        steps: TwoPersonSteps,
        status: StatusFilter = ApprovalStatus.WAITING,
        kind: Any = None,
    ) -> PageOf[ApprovalOut]:
        return await service.list_page(
            session, steps, page, status=status, kind=kind, bound=reading.areas, clock=clock
        )

    async def get_approval(
        approval_id: UUID,
        reading: Any,
        session: Session,
        clock: ClockDependency,
        steps: TwoPersonSteps,
    ) -> ApprovalOut:
        return await service.get(session, steps, approval_id, bound=reading.areas, clock=clock)

    async def decide_each(
        body: DecisionsIn,
        caller: Any,
        session: Session,
        clock: ClockDependency,
        steps: TwoPersonSteps,
        once: Once,
    ) -> Response:
        async def effect() -> DecisionsOut:
            return DecisionsOut(
                results=await service.decide_each(
                    session,
                    steps,
                    body.approval_ids,
                    body.decision,
                    reason=body.reason,
                    caller=caller,
                    clock=clock,
                )
            )

        return await once.reply(body, effect, status_code=200)

    def deciding(decision: Decision) -> Callable[..., Awaitable[ApprovalOut]]:
        async def decide(
            approval_id: UUID,
            body: DecisionIn,
            caller: Any,
            session: Session,
            clock: ClockDependency,
            steps: TwoPersonSteps,
        ) -> ApprovalOut:
            proposal = await service.decide(
                session,
                steps,
                approval_id,
                decision,
                reason=body.reason,
                caller=caller,
                clock=clock,
            )
            return service.shown(proposal, now=clock.now())

        return decide

    async def withdraw(
        approval_id: UUID,
        caller: AnyCaller,
        session: Session,
        clock: ClockDependency,
        steps: TwoPersonSteps,
    ) -> ApprovalOut:
        proposal = await service.withdraw(session, steps, approval_id, caller=caller, clock=clock)
        return service.shown(proposal, now=clock.now())

    approve, decline = deciding(Decision.APPROVED), deciding(Decision.DECLINED)
    # The types of a service are values here, which only the running program can annotate with.
    types = {"caller": decider, "reading": reader, "kind": kind_filter}
    for endpoint in (list_approvals, get_approval, decide_each, approve, decline):
        known = {name: types[name] for name in endpoint.__annotations__.keys() & types.keys()}
        endpoint.__annotations__.update(known)

    extra = narrowed() if is_narrowed else None
    router.get(
        "",
        summary="List what needs a second person",
        description="Steps that somebody proposed, oldest first, with what each would do to how "
        "many households and how much money; those that wait, unless another `status` is given.",
        responses=problem_responses(400, 401, 403, 422),
        openapi_extra=extra,
    )(list_approvals)
    router.post(
        "/decisions",
        response_model=DecisionsOut,
        summary="Decide several proposals",
        description="One decision about many proposals, each by itself: what cannot be decided "
        "says why, and the others are.",
        responses=problem_responses(400, 401, 403, 409, 422),
        openapi_extra=extra,
    )(decide_each)
    router.get(
        "/{approval_id}",
        summary="Read a proposal",
        description="What is proposed, by whom and why, and what was decided.",
        responses=problem_responses(401, 403, 404, 422),
        openapi_extra=extra,
    )(get_approval)
    router.post(
        "/{approval_id}/approval",
        summary="Approve a proposal",
        description="Carries out what another person proposed; whoever proposed it cannot.",
        responses=problem_responses(401, 403, 404, 409, 422),
        openapi_extra=extra,
    )(approve)
    router.post(
        "/{approval_id}/refusal",
        summary="Decline a proposal",
        description="Closes a proposal, and says why; nothing of it happens.",
        responses=problem_responses(401, 403, 404, 409, 422),
        openapi_extra=extra,
    )(decline)
    router.delete(
        "/{approval_id}",
        summary="Withdraw a proposal",
        description="Closes one's own proposal while it waits. Whoever proposed it needs no other "
        "scope for that; it stays to be read.",
        responses=problem_responses(401, 403, 404, 409, 422),
        openapi_extra=extra,
    )(withdraw)
    return router
