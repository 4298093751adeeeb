"""What is told when a trigger becomes ready, and when it stands down by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions.schemas import Trigger
from services.triggers.readiness import repository
from services.triggers.readiness.schemas import ReadinessOut
from services.triggers.readiness.tables import Readiness
from shared.clock import Clock
from shared.contracts.events import TriggerReadied, TriggerStoodDown
from shared.events import publish
from shared.ids import id_of
from shared.pagination import Page, PageOf


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A span of readiness, as a trigger's history tells it."""

    readied_on: date
    stood_down_on: date | None
    areas: tuple[str, ...]


async def note(
    session: AsyncSession, spans: Sequence[tuple[Trigger, Ready]], *, clock: Clock
) -> None:
    """Keep spans of readiness, and tell of what is new in them; twice equals once."""
    ids = [
        id_of("readiness", trigger.code, trigger.version, day=span.readied_on)
        for trigger, span in spans
    ]
    if not ids:
        return
    known = await repository.find(session, ids)
    for id_, (trigger, span) in zip(ids, spans, strict=True):
        if id_ in known:
            await _note_change(session, trigger, span, known[id_], clock=clock)
            continue
        await repository.add(
            session,
            {
                "id": id_,
                "trigger_code": trigger.code,
                "trigger_version": trigger.version,
                "readied_on": span.readied_on,
                "stood_down_on": span.stood_down_on,
                "areas": list(span.areas),
                "noted_at": clock.now(),
            },
        )
        if span.stood_down_on is None:
            await _tell_ready(session, trigger, span, id_, clock=clock)


async def _note_change(
    session: AsyncSession, trigger: Trigger, span: Ready, known: Readiness, *, clock: Clock
) -> None:
    if (known.stood_down_on, tuple(known.areas)) == (span.stood_down_on, span.areas):
        return
    was_ready, areas = known.stood_down_on is None, tuple(known.areas)
    await repository.change(
        session, known.id, stood_down_on=span.stood_down_on, areas=list(span.areas)
    )
    if span.stood_down_on is None and (not was_ready or areas != span.areas):
        await _tell_ready(session, trigger, span, known.id, clock=clock)
    elif span.stood_down_on is not None and was_ready:
        fact = TriggerStoodDown(
            readiness_id=known.id, trigger=trigger.code, stood_down_on=span.stood_down_on
        )
        await publish(session, fact, clock=clock)


async def list_page(
    session: AsyncSession, *, trigger: str | None, only_ready: bool, page: Page
) -> PageOf[ReadinessOut]:
    """A page of spans, the latest first."""
    rows = await repository.list_readiness(
        session,
        trigger=trigger,
        only_ready=only_ready,
        before=page.after(date, UUID),
        limit=page.fetch_limit,
    )
    return page.of(
        [ReadinessOut.model_validate(row) for row in rows],
        key=lambda readiness: (readiness.readied_on, readiness.id),
    )


async def _tell_ready(
    session: AsyncSession, trigger: Trigger, span: Ready, readiness_id: UUID, *, clock: Clock
) -> None:
    fact = TriggerReadied(
        readiness_id=readiness_id,
        trigger=trigger.code,
        trigger_version=trigger.version,
        scheme=trigger.document.scheme,
        shock=trigger.document.shock,
        areas=list(span.areas),
        area_filter=trigger.document.area_filter,
        readied_on=span.readied_on,
    )
    await publish(session, fact, clock=clock)
