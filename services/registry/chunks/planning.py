"""Planning runs: households of communes, or chunks of round 1, cut into chunks for the workers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository
from services.registry.chunks.cutting import cut_into_chunks
from services.registry.chunks.tables import EntitlementChunk, RunKind
from services.registry.households.repository import count_by_commune
from shared.clock import Clock
from shared.ids import id_of


@dataclass(frozen=True)
class PlannedRun:
    """A run as it was planned."""

    id: UUID
    activation_id: UUID
    round: int
    chunks_planned: int
    planned_at: datetime


async def plan_first_round(
    session: AsyncSession,
    *,
    activation_id: UUID,
    communes: Collection[str],
    kind: RunKind,
    currency: str,
    edition: int,
    clock: Clock,
    households_per_chunk: int,
    chunks_per_run: int,
) -> PlannedRun:
    """A run that enrols the households of ``communes`` and pays them round 1.

    ``edition`` is the number of the gazetteer's: one code may be planned anew in a later one.
    """
    planned = cut_into_chunks(
        await count_by_commune(session, communes),
        maximum_households=households_per_chunk,
        chunks_wanted=chunks_per_run,
    )
    run = await _add_run(
        session,
        activation_id=activation_id,
        round_number=1,
        kind=kind,
        covers=[*sorted(communes), *([edition] if edition > 1 else [])],
        chunks_planned=len(planned),
        clock=clock,
    )
    await repository.add_chunks(
        session,
        [
            _chunk(run, covers=sorted(chunk.area_codes), currency=currency)
            | {"province_code": chunk.province_code, "area_codes": chunk.area_codes}
            for chunk in planned
        ],
    )
    return run


async def plan_further(
    session: AsyncSession,
    *,
    activation_id: UUID,
    households: Mapping[str, int],
    covers: Sequence[UUID | str],
    currency: str,
    clock: Clock,
    households_per_chunk: int,
) -> PlannedRun:
    """A run that enrols households whom the activation was enrolled without, by commune.

    ``covers`` says whom. It follows which such run it is, so that two alike differ.
    """
    planned = cut_into_chunks(households, maximum_households=households_per_chunk, chunks_wanted=1)
    before = await repository.count_runs(session, activation_id, 1, RunKind.FURTHER)
    run = await _add_run(
        session,
        activation_id=activation_id,
        round_number=1,
        kind=RunKind.FURTHER,
        covers=[before + 1, *covers],
        chunks_planned=len(planned),
        clock=clock,
    )
    await repository.add_chunks(
        session,
        [
            _chunk(run, covers=sorted(chunk.area_codes), currency=currency)
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
    run = await _add_run(
        session,
        activation_id=activation_id,
        round_number=round_number,
        kind=RunKind.ROUND,
        covers=sorted(first.id for first in firsts),
        chunks_planned=len(firsts),
        clock=clock,
    )
    await repository.add_chunks(
        session,
        [
            _chunk(run, covers=[first.id], currency=first.currency)
            | {
                "province_code": first.province_code,
                "area_codes": first.area_codes,
                "first_round_chunk_id": first.id,
            }
            for first in firsts
        ],
    )
    return run


async def plan_repair(
    session: AsyncSession,
    *,
    activation_id: UUID,
    round_number: int,
    homes: Sequence[EntitlementChunk],
    covers: Sequence[UUID | str],
    clock: Clock,
) -> PlannedRun:
    """A run that announces entitlements of these chunks again, a chunk of its own for each.

    ``covers`` says whose. It follows which repair of the round it is, so that two alike differ.
    """
    before = await repository.count_runs(session, activation_id, round_number, RunKind.REPAIR)
    run = await _add_run(
        session,
        activation_id=activation_id,
        round_number=round_number,
        kind=RunKind.REPAIR,
        covers=[before + 1, *covers],
        chunks_planned=len(homes),
        clock=clock,
    )
    await repository.add_chunks(
        session,
        [
            _chunk(run, covers=[home.id], currency=home.currency)
            | {
                "province_code": home.province_code,
                "area_codes": home.area_codes,
                "home_chunk_id": home.id,
            }
            for home in homes
        ],
    )
    return run


async def _add_run(
    session: AsyncSession,
    *,
    activation_id: UUID,
    round_number: int,
    kind: RunKind,
    covers: Sequence[UUID | str | int],
    chunks_planned: int,
    clock: Clock,
) -> PlannedRun:
    """Keep a run, with an id that follows from what it ``covers``: planned anew, it is the same."""
    run = PlannedRun(
        id=id_of("run", activation_id, round_number, kind, *covers),
        activation_id=activation_id,
        round=round_number,
        chunks_planned=chunks_planned,
        planned_at=clock.now(),
    )
    await repository.add_run(
        session,
        id=run.id,
        activation_id=run.activation_id,
        round=run.round,
        kind=kind,
        chunks_planned=run.chunks_planned,
        planned_at=run.planned_at,
    )
    return run


def _chunk(run: PlannedRun, *, covers: Sequence[UUID | str], currency: str) -> dict[str, object]:
    return {
        "id": id_of("chunk", run.id, *covers),
        "enrolment_run_id": run.id,
        "activation_id": run.activation_id,
        "round": run.round,
        "planned_at": run.planned_at,
        "currency": currency,
    }
