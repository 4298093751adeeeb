"""Having entitlements announced again, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.registry.repairs import service
from services.registry.repairs.schemas import (
    ReannouncementIn,
    ReannouncementOut,
    RepairIn,
    RepairOut,
    RepairPreviewOut,
)
from services.registry.scopes import EnrolmentsRead, RoundsRelease
from shared.approvals.proposing import PROPOSES, Proposing
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery
from shared.values import Whole

router = APIRouter()


@router.get(
    "/activations/{activation_id}/repairs/preview",
    tags=["activations"],
    summary="Count what a repair would announce",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def preview_repair(
    activation_id: UUID,
    caller: EnrolmentsRead,
    session: Session,
    round: Annotated[
        int, Whole(least=1, most=60), Query(description="Of which round.", examples=[1])
    ],
) -> RepairPreviewOut:
    """How many entitlements of a round are unpaid and could be announced again, and why not all."""
    return await service.preview(session, activation_id, round, bound=caller.areas)


@router.post(
    "/activations/{activation_id}/repairs",
    tags=["activations"],
    summary="Propose to announce unpaid entitlements again",
    **PROPOSES,
    openapi_extra=narrowed(),
)
async def repair(
    activation_id: UUID,
    given: RepairIn,
    caller: RoundsRelease,
    proposing: Proposing,
) -> Response:
    """Once a second person approves, what was not paid is announced with the accounts of now.

    In chunks of their own, in the same round, for which payments reserves money by themselves.
    What is paid, or on its way, is passed by.
    """
    return await proposing.propose(
        service.propose_repair, activation_id, given=given, caller=caller
    )


@router.get(
    "/activations/{activation_id}/repairs/{run_id}",
    tags=["activations"],
    summary="Read a repair",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_repair(
    activation_id: UUID, run_id: UUID, caller: EnrolmentsRead, session: Session
) -> RepairOut:
    """What was announced again, who wanted it and why; the activation's `runs` say how far."""
    return await service.get_repair(session, activation_id, run_id, bound=caller.areas)


@router.post(
    "/entitlement-chunks/{chunk_id}/reannouncement",
    tags=["entitlements"],
    status_code=201,
    response_model=ReannouncementOut,
    summary="Announce a chunk once more",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def reannounce(
    chunk_id: UUID,
    given: ReannouncementIn,
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Tells payments of the chunk in the same words: nothing happens twice there.

    What was refused is on its way again.
    """
    return await once.reply(
        given,
        lambda: service.reannounce(session, chunk_id, given, caller=caller, clock=clock),
    )


@router.get(
    "/entitlement-chunks/{chunk_id}/reannouncements",
    tags=["entitlements"],
    summary="List when a chunk was announced once more",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_reannouncements(
    chunk_id: UUID, _: EnrolmentsRead, session: Session, page: PageQuery
) -> PageOf[ReannouncementOut]:
    """By whom and why, the first time first."""
    return await service.list_reannouncements(session, chunk_id, page=page)
