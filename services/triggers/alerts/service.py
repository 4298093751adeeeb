"""What is told of activations to whoever reads alerts: written from what was kept of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting
from services.triggers.activations.states import State
from services.triggers.alerts import cap, feed, repository
from services.triggers.alerts.message import (
    Message,
    MessageType,
    Sent,
    areas_at,
    headline_of,
    messages_of,
)
from services.triggers.explanations import service as explanations
from services.triggers.settings import ApiSettings
from services.triggers.wording.vocabulary import STATES, shock
from shared.approvals import Steps
from shared.clock import Clock
from shared.errors import NotFound
from shared.pagination import Page
from shared.wording.phrase import sentences

_BEGINNING = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
"""When the feed was last changed in which nothing stands yet."""


async def feed_page(session: AsyncSession, page: Page, *, settings: ApiSettings) -> bytes:
    """A page of the feed, what was told of last first."""
    before = page.after(datetime, UUID)
    rows = await repository.list_opened(session, before=before, limit=page.fetch_limit)
    shown = page.of(list(rows), key=lambda row: (row.told_at, row.id))
    ids = [row.id for row in shown.items]
    moves = await repository.moves_of_each(session, ids)
    areas = await repository.areas_of_each(session, ids)
    entries = []
    for row in shown.items:
        sent = messages_of(moves.get(row.id, ()), areas.get(row.id, ()))
        entries.append(
            feed.Entry(
                activation_id=row.id,
                opened_at=sent[0].at,
                latest=sent[-1],
                headline=headline_of(shock(row.shock), sent[-1].kind),
                areas=len(areas_at(areas.get(row.id, ()), sent[-1])),
            )
        )
    return feed.written(
        entries,
        sender=settings.alerts_sender,
        is_exercise=is_exercise(settings),
        updated_at=entries[0].latest.at if entries else _BEGINNING,
        self_reference=_reference(page.cursor, page.limit),
        next_reference=_reference(shown.next_cursor, page.limit) if shown.next_cursor else None,
    )


async def message(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    *,
    number: int | None,
    settings: ApiSettings,
    clock: Clock,
) -> bytes:
    """One message about an activation, the latest unless a number is given; raises NotFound."""
    activation = await acting.find(session, activation_id)
    moves = (await repository.moves_of_each(session, [activation_id])).get(activation_id, ())
    areas = (await repository.areas_of_each(session, [activation_id])).get(activation_id, ())
    sent = messages_of(moves, areas)
    told = _chosen(sent, number)
    explained = await explanations.about_activation(
        session, steps, activation_id, clock=clock, until=told.at
    )
    return cap.written(
        Message(
            activation_id=activation_id,
            sent=told,
            before=tuple(sent[: told.number - 1]),
            areas=areas_at(areas, told),
            shock=activation.shock,
            severity=activation.severity,
            origin=activation.origin,
            is_forecast=any(decisive.indicator.forecast for decisive in explained.decisive),
            headline=headline_of(shock(activation.shock), told.kind),
            description=sentences(
                [*([STATES[State.CANCELLED]] if _cancels(told) else []), *explained.why]
            ),
            is_exercise=is_exercise(settings),
            sender=settings.alerts_sender,
        )
    )


def is_exercise(settings: ApiSettings) -> bool:
    """Whether what is told did not happen: the clock can be set, or a setting says so."""
    return settings.alerts_are_exercises or settings.clock_file is not None


def _cancels(told: Sent) -> bool:
    return told.kind is MessageType.CANCEL


def _chosen(sent: list[Sent], number: int | None) -> Sent:
    if not sent:
        raise NotFound(
            "The activation was never opened, so nothing was told of it. GET /v1/activations/{id} "
            "says how it stands."
        )
    if number is None:
        return sent[-1]
    if number > len(sent):
        raise NotFound(
            f"There are {len(sent)} messages about the activation so far: ask for one of these."
        )
    return sent[number - 1]


def _reference(cursor: str | None, limit: int) -> str:
    return f"alerts?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
