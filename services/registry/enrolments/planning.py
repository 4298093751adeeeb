"""Planning runs: which communes an activation newly reaches, cut into chunks for the workers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, any_, exists, func, insert, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.registry.areas.tables import CODE, COUNTRY_CODE, Area, Level
from services.registry.enrolments.chunking import cut_into_chunks
from services.registry.enrolments.tables import EnrolmentRun, RunKind
from services.registry.entitlements.states import ChunkStatus
from services.registry.entitlements.tables import EntitlementChunk
from services.registry.households.tables import Household
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from shared.clock import Clock
from shared.ids import new_id

_DIGITS_OF_AREAS = {2, 4, 6}


class UnknownArea(Exception):
    """An activation names an area that is no country, province, district or commune here."""


async def communes_of(
    session: AsyncSession, *, areas: Sequence[str], area_filter: str | None
) -> list[str]:
    """The communes of ``areas`` that the filter lets through; raises UnknownArea, RuleRefused."""
    await _require_known(session, areas)
    condition: ColumnElement[bool] = true()
    if COUNTRY_CODE not in areas:
        condition = or_(*(Area.code.startswith(area, autoescape=True) for area in areas))
    if area_filter is not None:
        condition = condition & compile_rule(area_filter, attributes=COMMUNE_ATTRIBUTES)
    rows = await session.scalars(select(Area.code).where(Area.level == Level.COMMUNE, condition))
    return list(rows.all())


async def _require_known(session: AsyncSession, areas: Sequence[str]) -> None:
    known = set((await session.scalars(select(Area.code).where(Area.code.in_(areas)))).all())
    for area in areas:
        fits = area == COUNTRY_CODE or len(area) in _DIGITS_OF_AREAS
        if area not in known or not fits:
            raise UnknownArea(
                f"Area {area} is not in the gazetteer, or is smaller than a commune. "
                "Load the gazetteer, then replay this event."
            )
    if not areas:
        raise UnknownArea("The activation names no area.")


async def plan_first_round(
    session: AsyncSession,
    *,
    activation_id: UUID,
    communes: Sequence[str],
    kind: RunKind,
    currency: str,
    clock: Clock,
    households_per_chunk: int,
    chunks_per_run: int,
) -> EnrolmentRun:
    """A run that enrols the households of ``communes`` and pays them round 1."""
    counts = await session.execute(
        select(Household.area_code, func.count())
        .where(Household.area_code == any_(literal(list(communes), ARRAY(CODE))))
        .group_by(Household.area_code)
    )
    planned = cut_into_chunks(
        {row.area_code: row[1] for row in counts},
        maximum_households=households_per_chunk,
        chunks_wanted=chunks_per_run,
    )
    run = await _add_run(
        session, activation_id, round_number=1, kind=kind, chunks=len(planned), clock=clock
    )
    await _add_chunks(
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
) -> EnrolmentRun | None:
    """A run that pays a later round to whom round 1 enrolled: all, or those of one run.

    None where nobody is left to pay it to.
    """
    later = aliased(EntitlementChunk)
    query = select(EntitlementChunk).where(
        EntitlementChunk.activation_id == activation_id,
        EntitlementChunk.round == 1,
        EntitlementChunk.status != ChunkStatus.PLANNED,
        ~exists().where(
            later.first_round_chunk_id == EntitlementChunk.id, later.round == round_number
        ),
    )
    if of_run is not None:
        query = query.where(EntitlementChunk.enrolment_run_id == of_run)
    firsts = (await session.scalars(query.order_by(EntitlementChunk.id))).all()
    if not firsts:
        return None
    run = await _add_run(
        session,
        activation_id,
        round_number=round_number,
        kind=RunKind.ROUND,
        chunks=len(firsts),
        clock=clock,
    )
    await _add_chunks(
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


async def _add_run(
    session: AsyncSession,
    activation_id: UUID,
    *,
    round_number: int,
    kind: RunKind,
    chunks: int,
    clock: Clock,
) -> EnrolmentRun:
    run = EnrolmentRun(
        id=new_id(),
        activation_id=activation_id,
        round=round_number,
        kind=kind,
        chunks_planned=chunks,
        chunks_done=0,
        planned_at=clock.now(),
    )
    session.add(run)
    await session.flush()
    return run


def _chunk(run: EnrolmentRun, *, currency: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "enrolment_run_id": run.id,
        "activation_id": run.activation_id,
        "round": run.round,
        "status": ChunkStatus.PLANNED,
        "currency": currency,
    }


async def _add_chunks(session: AsyncSession, chunks: list[dict[str, object]]) -> None:
    if chunks:
        await session.execute(insert(EntitlementChunk), chunks)
