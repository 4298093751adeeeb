"""Planning runs: households of communes, or chunks of round 1, cut into chunks for the workers."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository
from services.registry.chunks.cutting import cut_into_chunks
from services.registry.chunks.tables import RunKind
from services.registry.households.repository import count_by_commune
from shared.clock import Clock
from shared.ids import new_id


@dataclass(frozen=True)
class PlannedRun:
    """A run as it was planned."""

    id: UUID
    activation_id: UUID
    round: int
    chunks_planned: int


async def plan_first_round(
    session: AsyncSession,
    *,
    activation_id: UUID,
    communes: Collection[str],
    kind: RunKind,
    currency: str,
    clock: Clock,
    households_per_chunk: int,
    chunks_per_run: int,
) -> PlannedRun:
    """A run that enrols the households of ``communes`` and pays them round 1."""
    planned = cut_into_chunks(
        await count_by_commune(session, communes),
        maximum_households=households_per_chunk,
        chunks_wanted=chunks_per_run,
    )
    run = PlannedRun(new_id(), activation_id, 1, len(planned))
    await _add_run(session, run, kind, clock=clock)
    await repository.add_chunks(
        session,
        [
            _chunk(run, currency=currency)
            | {"province_code": chunk.province_code, "area_codes": chunk.area_codes}
            for chunk in planned
        ],
    )
    return run


async def plan_later_round(
    session: AsyncSession,
    *,
    activation_id: UUID,
    round_number: int,
    of_run: UUID | None = None,
    clock: Clock,
) -> PlannedRun | None:
    """A run that pays a later round to whom round 1 enrolled: all, or those of one run.

    None where nobody is left to pay it to.
    """
    firsts = await repository.first_rounds_without(
        session, activation_id, round_number, of_run=of_run
    )
    if not firsts:
        return None
    run = PlannedRun(new_id(), activation_id, round_number, len(firsts))
    await _add_run(session, run, RunKind.ROUND, clock=clock)
    await repository.add_chunks(
        session,
        [
            _chunk(run, currency=first.currency)
            | {
                "province_code": first.province_code,
                "area_codes": first.area_codes,
                "first_round_chunk_id": first.id,
            }
            for first in firsts
        ],
    )
    return run


async def _add_run(session: AsyncSession, run: PlannedRun, kind: RunKind, *, clock: Clock) -> None:
    await repository.add_run(
        session,
        id=run.id,
        activation_id=run.activation_id,
        round=run.round,
        kind=kind,
        chunks_planned=run.chunks_planned,
        planned_at=clock.now(),
    )


def _chunk(run: PlannedRun, *, currency: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "enrolment_run_id": run.id,
        "activation_id": run.activation_id,
        "round": run.round,
        "currency": currency,
    }
