"""The event log over HTTP: the feed for outside readers, and the events that failed here."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import text

from shared.auth import Caller, require
from shared.database import Session
from shared.errors import NotFound, problem_responses
from shared.events.consumer import READ_FENCED
from shared.pagination import PageOf, PageQuery, decode_cursor, encode_cursor, page_of

router = APIRouter(tags=["events"])

EventsRead = Annotated[Caller, require("events:read")]
EventsReplay = Annotated[Caller, require("events:replay")]

_BEGINNING = (0, 0, 0)


class CloudEvent(BaseModel):
    """CloudEvents 1.0, JSON format."""

    specversion: str = "1.0"
    id: UUID
    type: str = Field(examples=["org.sangkroh.activation-opened.v1"])
    source: str = Field(examples=["/triggers"])
    subject: str = Field(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])
    time: datetime
    datacontenttype: str = "application/json"
    data: dict[str, Any]


class Feed(BaseModel):
    """Events in order, and where to go on."""

    items: list[CloudEvent]
    next_cursor: str = Field(
        description="Send it as `cursor` to get what came after these.",
        examples=["WzEsIDc0MSwgOV0"],
    )


class DeadLetter(BaseModel):
    """An event whose handler failed in this service."""

    consumer: str = Field(examples=["evaluations"])
    event_id: UUID
    type: str = Field(examples=["org.sangkroh.observations-recorded.v1"])
    error: str = Field(
        description="What kind of error, and where in the code; no values.",
        examples=["KeyError at services/triggers/evaluations/service.py:42 evaluate"],
    )
    attempts: int = Field(examples=[1])
    failed_at: datetime
    replay_requested_at: datetime | None


@router.get("/events", summary="Read the event log", responses=problem_responses(400, 401, 403))
async def read_events(
    caller: EventsRead,
    session: Session,
    cursor: Annotated[
        str | None, Query(max_length=512, description="Where to go on; none: from the beginning.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Feed:
    """All events of all services in order: poll with the cursor of the last answer.

    No event is skipped: the feed stops where an earlier transaction is still open.
    """
    epoch, transaction_id, sequence = decode_cursor(cursor, int, int, int) if cursor else _BEGINNING
    rows = (
        await session.execute(
            text(READ_FENCED),
            {
                "epoch": epoch,
                "transaction_id": str(transaction_id),
                "sequence": sequence,
                "limit": limit,
            },
        )
    ).all()
    if rows:
        last = rows[-1]
        epoch, transaction_id, sequence = last.epoch, int(last.transaction_id), last.sequence
    return Feed(
        items=[CloudEvent.model_validate(row._asdict()) for row in rows],
        next_cursor=encode_cursor(epoch, transaction_id, sequence),
    )


@router.get(
    "/dead-letters",
    summary="List the events that failed here",
    responses=problem_responses(400, 401, 403),
)
async def list_dead_letters(
    caller: EventsRead, session: Session, request: Request, page: PageQuery
) -> PageOf[DeadLetter]:
    """Events whose handler failed in this service; the rest went on without them."""
    schema = request.app.state.settings.service
    after_consumer, after_event = (
        decode_cursor(page.cursor, str, UUID) if page.cursor else ("", UUID(int=0))
    )
    rows = await session.execute(
        text(
            f"SELECT * FROM {schema}.dead_letter WHERE (consumer, event_id) > (:consumer, :event) "
            "ORDER BY consumer, event_id LIMIT :limit"
        ),
        {"consumer": after_consumer, "event": after_event, "limit": page.limit + 1},
    )
    letters = [DeadLetter.model_validate(row._asdict()) for row in rows]
    return page_of(letters, page=page, key=lambda letter: (letter.consumer, letter.event_id))


@router.post(
    "/dead-letters/{event_id}/replay",
    status_code=202,
    summary="Try a failed event again",
    responses=problem_responses(401, 403, 404),
)
async def replay_dead_letter(
    event_id: UUID, caller: EventsReplay, session: Session, request: Request
) -> list[DeadLetter]:
    """Asks this service's consumers to work the event again; it leaves the list when that works."""
    schema = request.app.state.settings.service
    rows = (
        await session.execute(
            text(
                f"UPDATE {schema}.dead_letter SET replay_requested_at = clock_timestamp() "
                "WHERE event_id = :event_id RETURNING *"
            ),
            {"event_id": event_id},
        )
    ).all()
    if not rows:
        raise NotFound("No event with this id failed here. GET /dead-letters lists those that did.")
    return [DeadLetter.model_validate(row._asdict()) for row in rows]
