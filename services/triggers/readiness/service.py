"""What is told when a trigger becomes ready, and when it stands down by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions.schemas import Trigger
from services.triggers.readiness import repository
from services.triggers.readiness.schemas import ReadinessOut
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
    session: AsyncSession, trigger: Trigger, spans: Sequence[Ready], *, clock: Clock
) -> None:
    """Keep spans of readiness, and tell of what is new in them; twice equals once."""
    for span in spans:
        id_ = id_of("readiness", trigger.code, trigger.version, day=span.readied_on)
        known = await repository.find(session, id_)
        if known is None:
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
            continue
        if (known.stood_down_on, tuple(known.areas)) == (span.stood_down_on, span.areas):
            continue
        was_ready, areas = known.stood_down_on is None, tuple(known.areas)
        await repository.change(
            session, id_, stood_down_on=span.stood_down_on, areas=list(span.areas)
        )
        if span.stood_down_on is None and (not was_ready or areas != span.areas):
            await _tell_ready(session, trigger, span, id_, clock=clock)
        elif span.stood_down_on is not None and was_ready:
            fact = TriggerStoodDown(
                readiness_id=id_, trigger=trigger.code, stood_down_on=span.stood_down_on
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
