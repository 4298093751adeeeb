"""Doubtful figures over HTTP: what was set aside, and what a person decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.triggers.doubtful.tables import DoubtDecision
from services.triggers.places.routes import PlacePath
from services.triggers.quality.doubt import DoubtReason
from services.triggers.releases import service
from services.triggers.releases.schemas import (
    AliasIn,
    AliasOut,
    DoubtDecisionIn,
    DoubtDecisionsIn,
    DoubtDecisionsOut,
    DoubtfulOut,
    DoubtStatus,
)
from services.triggers.scopes import ObservationsRead, ObservationsRelease
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery
from shared.values import Whole

router = APIRouter()

_DOUBTFUL = APIRouter(prefix="/doubtful-observations", tags=["observations"])
_PLACES = APIRouter(prefix="/places", tags=["places"])


@_DOUBTFUL.get(
    "",
    summary="List doubtful observations",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_doubtful(
    _: ObservationsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    status: Annotated[DoubtStatus, Query(description="Only those that stand so.")] = (
        DoubtStatus.WAITING
    ),
    indicator: Annotated[
        Annotated[Code, Query(examples=["rice-wholesale-price"])] | None,
        Query(description="Only those of this indicator."),
    ] = None,
    reason: Annotated[
        DoubtReason | None, Query(description="Only those that are doubtful for this.")
    ] = None,
    older_than_days: Annotated[
        Annotated[int, Whole(least=0, most=10_000)] | None,
        Query(description="Only those that were set aside longer ago."),
    ] = None,
) -> PageOf[DoubtfulOut]:
    """Lists what was set aside, oldest first, each row as it was posted and why it is doubtful.

    No trigger reads any of it. Those that wait are listed, unless another `status` is given.
    """
    return await service.list_page(
        session,
        page,
        status=status,
        indicator=indicator,
        reason=reason,
        older_than_days=older_than_days,
        clock=clock,
    )


@_DOUBTFUL.post(
    "/decisions",
    response_model=DoubtDecisionsOut,
    summary="Decide several doubtful observations",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def decide_each(
    body: DoubtDecisionsIn,
    caller: ObservationsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Releases or rejects up to 500: what cannot be decided says why, and the others are."""

    async def effect() -> DoubtDecisionsOut:
        return DoubtDecisionsOut(
            results=await service.decide_each(
                session,
                body.doubtful_ids,
                body.decision,
                reason=body.reason,
                caller=caller,
                clock=clock,
            )
        )

    return await once.reply(body, effect, status_code=200)


@_DOUBTFUL.get(
    "/{doubtful_id}",
    summary="Read a doubtful observation",
    responses=problem_responses(401, 403, 404, 422),
)
async def read_doubtful(
    doubtful_id: UUID, _: ObservationsRead, session: Session, clock: ClockDependency
) -> DoubtfulOut:
    """Reads one row that was set aside, why, and what was decided about it."""
    return await service.get(session, doubtful_id, clock=clock)


@_DOUBTFUL.post(
    "/{doubtful_id}/release",
    summary="Release a doubtful observation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def release_doubtful(
    doubtful_id: UUID,
    body: DoubtDecisionIn,
    caller: ObservationsRelease,
    session: Session,
    clock: ClockDependency,
) -> DoubtfulOut:
    """Lets a doubtful row count, with its own dates, and has the indicator's triggers evaluated.

    One that was set aside at once is recorded now; one that contradicts another of the same day
    stands in place of it.

    Whoever posted it does not release it, and whoever releases it does not approve what follows
    from it.
    """
    return await service.decide(
        session,
        doubtful_id,
        DoubtDecision.RELEASED,
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


@_DOUBTFUL.post(
    "/{doubtful_id}/rejection",
    summary="Reject a doubtful observation",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def reject_doubtful(
    doubtful_id: UUID,
    body: DoubtDecisionIn,
    caller: ObservationsRelease,
    session: Session,
    clock: ClockDependency,
) -> DoubtfulOut:
    """Closes a doubtful row, and says why; it never counts, also when it is sent again."""
    return await service.decide(
        session,
        doubtful_id,
        DoubtDecision.REJECTED,
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


@_PLACES.post(
    "/{code}/aliases",
    status_code=201,
    response_model=AliasOut,
    summary="Add a name to a place",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def add_alias(
    code: PlacePath,
    body: AliasIn,
    caller: ObservationsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Says that a name means this place, and records the rows that were set aside for it.

    They wait on where they are doubtful for another reason, and are held against what is known of
    the place when they are judged. One call records 5,000 at most.
    """
    return await once.reply(
        body,
        lambda: service.add_alias(session, code, body.name, caller=caller, clock=clock),
    )


router.include_router(_DOUBTFUL)
router.include_router(_PLACES)
