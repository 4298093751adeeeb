"""The event log over HTTP: the feed for outside readers, and the events that failed here."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import Caller, require
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import Conflict, NotFound, problem_responses
from shared.events import repository
from shared.events.cloud_events import AnyDescribed, CloudEvent
from shared.events.progress import ConsumerProgress, progress_of
from shared.events.repository import Only
from shared.pagination import CursorText, Int4, PageOf, PageQuery, decode_cursor, encode_cursor
from shared.values import Instant, Text, Whole

router = APIRouter(tags=["events"])

EventLogRead = Annotated[Caller, require("event-log:read")]
EventsRead = Annotated[Caller, require("events:read")]
EventsReplay = Annotated[Caller, require("events:replay")]

EventType = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]{1,100}$",
        max_length=100,
        examples=["org.sangkroh.activation-opened.v1"],
    ),
]
Subject = Annotated[
    str, Text(longest=200), Field(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])
]

_BEGINNING = (0, 0, 0)


class Feed(BaseModel):
    """Events in order, and where to go on. Types are added: leave one that you do not know."""

    items: list[AnyDescribed]
    next_cursor: str = Field(
        description="Send it as `cursor` to get what came after these.",
        examples=["WzEsIDc0MSwgOV0"],
    )
    more: bool = Field(
        description="Whether to go on at once. Of a log that is read for some events only, a page "
        "may hold few of them, or none, and more come later.",
        examples=[False],
    )


class DeadLetter(BaseModel):
    """An event whose handler failed in this service."""

    consumer: str = Field(examples=["evaluations"])
    event_id: UUID
    type: str = Field(examples=["org.sangkroh.observations-recorded.v1"])
    subject: str | None = Field(
        description="What the event is about; null where the log has it no more.",
        examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"],
    )
    error: str = Field(
        description="What is wrong and what to do; of an error that nobody foresaw its kind and "
        "its place in the code. No personal values.",
        examples=["There is no scheme 'flood-2022': post it, then replay this event."],
    )
    attempts: int = Field(examples=[1])
    first_failed_at: datetime
    failed_at: datetime = Field(description="When it was tried last.")
    waited_seconds: int = Field(
        description="Since it first failed, until now or until it was discarded.", examples=[5400]
    )
    replay_requested_at: datetime | None
    discarded_at: datetime | None = Field(examples=[None])
    discarded_by: str | None = Field(examples=[None])
    discard_reason: str | None = Field(examples=[None])


class DiscardIn(BaseModel):
    """Why nobody is to work an event any more."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "Reported twice: the first report is worked already."}]
        },
    )

    reason: Annotated[str, Text(longest=500, shortest=3, lines=True)]


class Progress(BaseModel):
    """What this service has worked of everything that was told."""

    all_worked: bool = Field(description="Nothing waits for anybody.", examples=[True])
    worked_up_to: datetime = Field(
        description="Everything told before this instant is worked, but for what failed.",
        examples=["2020-10-12T02:00:05Z"],
    )
    consumers: list[ConsumerProgress]


@router.get(
    "/events",
    response_model=Feed,
    summary="Follow the event log",
    responses=problem_responses(400, 401, 403),
)
async def read_events(
    _: EventLogRead,
    session: Session,
    cursor: Annotated[
        CursorText | None, Query(description="Where to go on; none: from the beginning.")
    ] = None,
    limit: Annotated[int, Whole(least=1, most=500)] = 100,
    type: Annotated[EventType | None, Query(description="Only events of this type.")] = None,
    subject: Annotated[
        Subject | None, Query(description="Only events about what has this id or code.")
    ] = None,
    since: Annotated[
        Instant | None, Query(description="Only what happened at this instant or after it.")
    ] = None,
) -> JSONResponse:
    """All events of all services in order, as CloudEvents: poll with the cursor of the last
    answer, and with the same filters. At once where it says `more`, a little later where not.

    No event is skipped: the feed stops where an earlier transaction is still open.
    """
    after = decode_cursor(cursor, Int4, int, int) if cursor else _BEGINNING
    found = await repository.read_events(
        session,
        after,
        only=Only(type=type, subject=subject, since=since),
        limit=limit,
    )
    return JSONResponse(
        {
            "items": [CloudEvent.of(row).model_dump(mode="json") for row in found.events],
            "next_cursor": encode_cursor(*found.read_to),
            "more": found.more,
        }
    )


@router.get(
    "/events/progress",
    summary="See whether all events are worked",
    responses=problem_responses(401, 403),
)
async def read_progress(
    _: EventsRead, session: Session, request: Request, clock: ClockDependency
) -> Progress:
    """Whether this service has worked everything that was told until now, and if not, since when
    the oldest of it waits: whoever posted something knows by it that it was judged, or enrolled.
    """
    state = request.app.state
    consumers = await progress_of(
        session, state.settings.service, besides=state.waits_besides, now=clock.now()
    )
    oldest = min(
        (consumer.oldest_waiting_at for consumer in consumers if consumer.oldest_waiting_at),
        default=None,
    )
    return Progress(
        all_worked=oldest is None,
        worked_up_to=oldest or clock.now(),
        consumers=consumers,
    )


@router.get(
    "/dead-letters",
    summary="List the events that failed here",
    responses=problem_responses(400, 401, 403),
)
async def list_dead_letters(
    _: EventsRead,
    session: Session,
    request: Request,
    page: PageQuery,
    discarded: Annotated[
        bool, Query(description="Those that were discarded, in place of those that wait.")
    ] = False,
) -> PageOf[DeadLetter]:
    """Events whose handler failed in this service; the rest went on without them."""
    rows = await repository.list_dead_letters(
        session,
        request.app.state.settings.service,
        discarded=discarded,
        after=page.after(str, UUID) or ("", UUID(int=0)),
        limit=page.fetch_limit,
    )
    letters = [DeadLetter.model_validate(row._asdict()) for row in rows]
    return page.of(letters, key=lambda letter: (letter.consumer, letter.event_id))


@router.post(
    "/dead-letters/{event_id}/replay",
    status_code=202,
    summary="Try a failed event again",
    responses=problem_responses(401, 403, 404, 409),
)
async def replay_dead_letter(
    event_id: UUID, _: EventsReplay, session: Session, request: Request
) -> list[DeadLetter]:
    """Asks this service's consumers to work the event again; it leaves the list when that works."""
    service = request.app.state.settings.service
    marked = await repository.request_replay(session, service, event_id)
    letters = await _letters_of(session, service, event_id)
    if not marked:
        raise _discarded_already(letters[0])
    return letters


@router.post(
    "/dead-letters/{event_id}/discard",
    summary="Give a failed event up",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def discard_dead_letter(
    event_id: UUID, given: DiscardIn, caller: EventsReplay, session: Session, request: Request
) -> list[DeadLetter]:
    """Ends the waiting of an event that is not to be worked any more. It is kept, with who
    decided so, when and why, and is listed with `discarded=true`.
    """
    service = request.app.state.settings.service
    done = await repository.discard(
        session, service, event_id, by=caller.subject, reason=given.reason
    )
    letters = await _letters_of(session, service, event_id)
    if not done:
        raise _discarded_already(letters[0])
    return letters


async def _letters_of(session: AsyncSession, service: str, event_id: UUID) -> list[DeadLetter]:
    rows = await repository.dead_letters_of(session, service, event_id)
    if not rows:
        raise NotFound(
            "No event with this id failed here. GET /v1/dead-letters lists those that did."
        )
    return [DeadLetter.model_validate(row._asdict()) for row in rows]


def _discarded_already(letter: DeadLetter) -> Conflict:
    return Conflict(
        f"The event was discarded by {letter.discarded_by} at {letter.discarded_at:%FT%TZ}. What "
        "it was to bring about has to be ordered anew."
    )
