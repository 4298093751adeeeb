"""Showing how far activations are."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation
from services.registry.activations.tables import Activation
from services.registry.chunks import repository as chunks
from services.registry.chunks.tables import EnrolmentRun
from services.registry.progress import repository
from services.registry.progress.schemas import (
    ActivationOut,
    ActivationProgressOut,
    ChunkOut,
    Progress,
    ProvinceSummary,
    RepairOfRun,
    RunOut,
    SummaryOut,
)
from services.registry.repairs.repository import repairs_of
from services.registry.repairs.tables import Repair
from shared.bounds import Bound, overlap
from shared.errors import NotFound
from shared.pagination import Page, PageOf

_NOT_ENROLLED = "Not enrolled: "
_OF_THE_COUNTRY = ("ceiling_households", "ceiling_minor", "allowed_households", "allowed_minor")


async def list_activations(
    session: AsyncSession, *, scheme: str | None, bound: Bound, page: Page
) -> PageOf[ActivationOut]:
    """A page of activations, the newest first."""
    before = page.after(datetime, UUID)
    found = await activations.list_activations(
        session, scheme=scheme, bound=bound, before=before, limit=page.fetch_limit
    )
    rows = [_shown(activation, bound=bound) for activation in found]
    return page.of(rows, key=lambda activation: (activation.received_at, activation.id))


async def follow(
    session: AsyncSession, activation_id: UUID, *, bound: Bound
) -> ActivationProgressOut:
    """An activation with its runs and sums; raises NotFound."""
    activation = await _reaching(session, activation_id, bound=bound)
    # Runs first: a run that is shown as complete then has all its sums.
    runs = [] if bound else await chunks.list_runs(session, activation_id)
    sums = await repository.progress(session, activation_id, bound=bound)
    repairs = await repairs_of(session, [run.id for run in runs])
    return ActivationProgressOut(
        **_shown(activation, bound=bound).model_dump(),
        chunks_planned=sums["chunks_planned"],
        chunks_done=sums["chunks_done"],
        runs=[_shown_run(run, repairs.get(run.id)) for run in runs],
        progress=Progress.model_validate(sums),
    )


async def sum_up(session: AsyncSession, activation_id: UUID, *, bound: Bound) -> SummaryOut:
    """An activation by province; raises NotFound."""
    activation = await _reaching(session, activation_id, bound=bound)
    provinces = await repository.by_province(session, activation_id, bound=bound)
    return SummaryOut(
        activation_id=activation_id,
        scheme=activation.scheme_code,
        provinces=[ProvinceSummary.model_validate(row._asdict()) for row in provinces],
        reasons=await repository.reasons(session, activation_id, bound=bound),
    )


async def _reaching(session: AsyncSession, activation_id: UUID, *, bound: Bound) -> Activation:
    """The activation, if it reaches a caller's areas; raises NotFound."""
    activation = await get_activation(session, activation_id)
    if not await repository.reaches(session, activation_id, bound=bound):
        raise NotFound(
            "No such activation has reached the registry. "
            "GET /v1/activations lists those that have."
        )
    return activation


async def list_chunks(
    session: AsyncSession, activation_id: UUID, *, page: Page
) -> PageOf[ChunkOut]:
    """A page of an activation's chunks; raises NotFound."""
    await get_activation(session, activation_id)
    after = page.after(datetime, UUID)
    found = await chunks.list_chunks(session, activation_id, after=after, limit=page.fetch_limit)
    rows = [ChunkOut.model_validate(chunk) for chunk in found]
    return page.of(rows, key=lambda chunk: (chunk.planned_at, chunk.id))


def _shown_run(run: EnrolmentRun, repair: Repair | None) -> RunOut:
    shown = RunOut.model_validate(run)
    return shown.model_copy(update={"repair": repair and RepairOfRun.model_validate(repair)})


def _shown(activation: Activation, *, bound: Bound) -> ActivationOut:
    refused = activation.areas_refused.items()
    # What it may pay in the whole country is nothing of theirs.
    country = {} if bound is None else dict.fromkeys(_OF_THE_COUNTRY)
    return ActivationOut.model_validate(activation).model_copy(
        update={
            "not_enrolled": activation.not_enrolled and f"{_NOT_ENROLLED}{activation.not_enrolled}",
            "areas": [area for area in activation.areas if overlap(bound, area)],
            "areas_refused": {
                area: f"{_NOT_ENROLLED}{why}" for area, why in refused if overlap(bound, area)
            },
            **country,
        }
    )
