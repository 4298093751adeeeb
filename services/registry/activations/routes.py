"""Activations, their rounds and chunks over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from services.registry.activations import repository
from services.registry.activations.schemas import (
    ActivationOut,
    ActivationProgressOut,
    ChunkOut,
    Progress,
    ProvinceSummary,
    RunOut,
    SummaryOut,
)
from services.registry.activations.tables import Activation
from services.registry.rounds import service as rounds
from services.registry.rounds.schemas import RoundOut
from shared.auth import Caller, require
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import NotFound, problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(prefix="/activations", tags=["activations"])

EnrolmentsRead = Annotated[Caller, require("enrolments:read")]
RoundsRelease = Annotated[Caller, require("rounds:release")]


@router.get("", summary="List activations", responses=problem_responses(400, 401, 403, 422))
async def list_activations(
    caller: EnrolmentsRead,
    session: Session,
    page: PageQuery,
    scheme: Annotated[
        str | None, Query(max_length=60, description="Only those paid by this scheme.")
    ] = None,
) -> PageOf[ActivationOut]:
    """Activations that this registry enrolled households for, the newest first."""
    before = decode_cursor(page.cursor, UUID)[0] if page.cursor else None
    found = await repository.list_activations(
        session, scheme=scheme, before=before, limit=page.limit + 1
    )
    rows = [ActivationOut.model_validate(one) for one in found]
    return page_of(rows, page=page, key=lambda one: (one.id,))


@router.get(
    "/{activation_id}",
    summary="Follow an activation",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_activation(
    activation_id: UUID, caller: EnrolmentsRead, session: Session
) -> ActivationProgressOut:
    """How many households were enrolled, what they are owed, and what came of it so far."""
    activation = await _get(session, activation_id)
    # Runs first: a run that is shown as complete then has all its sums.
    runs = await repository.list_runs(session, activation_id)
    sums = await repository.progress(session, activation_id)
    return ActivationProgressOut(
        **ActivationOut.model_validate(activation).model_dump(),
        chunks_planned=sums["chunks_planned"],
        chunks_done=sums["chunks_done"],
        runs=[RunOut.model_validate(run) for run in runs],
        progress=Progress.model_validate(sums),
    )


@router.get(
    "/{activation_id}/summary",
    summary="Sum up an activation by province",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_summary(activation_id: UUID, caller: EnrolmentsRead, session: Session) -> SummaryOut:
    """Where, how many, how much, how fast: aggregates without persons."""
    activation = await _get(session, activation_id)
    provinces = await repository.by_province(session, activation_id)
    return SummaryOut(
        activation_id=activation_id,
        scheme=activation.scheme_code,
        provinces=[ProvinceSummary.model_validate(row._asdict()) for row in provinces],
        reasons=await repository.reasons(session, activation_id),
    )


@router.get(
    "/{activation_id}/chunks",
    summary="List an activation's chunks",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_chunks(
    activation_id: UUID, caller: EnrolmentsRead, session: Session, page: PageQuery
) -> PageOf[ChunkOut]:
    """What was announced to payments chunk by chunk, what was refused, and what is stuck."""
    await _get(session, activation_id)
    after = decode_cursor(page.cursor, UUID)[0] if page.cursor else None
    chunks = await repository.list_chunks(session, activation_id, after=after, limit=page.limit + 1)
    rows = [ChunkOut.model_validate(chunk) for chunk in chunks]
    return page_of(rows, page=page, key=lambda one: (one.id,))


@router.get(
    "/{activation_id}/rounds",
    summary="List an activation's rounds",
    responses=problem_responses(401, 403, 404, 422),
)
async def list_rounds(
    activation_id: UUID, caller: EnrolmentsRead, session: Session, clock: ClockDependency
) -> list[RoundOut]:
    """Every round with its due date: the first is paid at once, later ones wait for a release."""
    await _get(session, activation_id)
    return await rounds.list_rounds(session, activation_id, clock=clock)


@router.post(
    "/{activation_id}/rounds/{number}/release",
    status_code=202,
    response_model=RoundOut,
    summary="Release a round that is due",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def release_round(
    activation_id: UUID,
    number: Annotated[int, Path(ge=2, le=60, examples=[2])],
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Has the round's entitlements worked out from the enrolments, and announced to payments."""
    return await once.reply(
        None,
        lambda: rounds.release_round(session, activation_id, number, caller=caller, clock=clock),
        status_code=202,
    )


async def _get(session: Session, activation_id: UUID) -> Activation:
    activation = await repository.find_activation(session, activation_id)
    if activation is None:
        raise NotFound(
            "No such activation has reached the registry. GET /activations lists those that have."
        )
    return activation
