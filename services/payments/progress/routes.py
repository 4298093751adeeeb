"""How far an activation is, while its payments happen."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.payments.progress import service
from services.payments.progress.changes import View
from services.payments.progress.following import Following, Grouped
from services.payments.progress.schemas import PROGRESS_EXAMPLE, ProgressOut
from services.payments.progress.standing import By
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.streams import HeldStream

router = APIRouter(prefix="/activations", tags=["activations"])

Grouping = Annotated[
    By | None,
    Query(description="Tell counts apart by this as well.", examples=["province"]),
]
EVENT_STREAM = "text/event-stream"
_STREAM_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `snapshot`, the body of the progress; `change`, what "
        "is another than before, each group and list whole; `end`, when nothing more happens by "
        "itself. A line with a colon alone says that the stream is alive.",
        "content": {
            EVENT_STREAM: {
                "example": View.of(ProgressOut.model_validate(PROGRESS_EXAMPLE))
                .snapshot()
                .decode(),
            }
        },
    },
    204: {"description": "The end was sent with `Last-Event-ID`: nothing has changed since."},
}


@router.get(
    "/{activation_id}/progress",
    summary="Get an activation's progress",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_progress(
    activation_id: UUID, caller: PaymentsRead, session: Session, by: Grouping = None
) -> ProgressOut:
    """How many payments are in which state, for how much, how fast they end, and what waits for a
    person. Counts are kept as payments happen, so asking again and again is cheap. Whoever is
    bound to areas is told what is counted in their districts, not what was announced or how
    fast."""
    bound = service.districts_of(caller)
    standing = service.narrow(await service.read_standing(session, activation_id), bound)
    return ProgressOut.of(activation_id, standing, by=by)


@router.get(
    "/{activation_id}/progress/stream",
    summary="Follow an activation",
    response_class=StreamingResponse,
    responses={**_STREAM_REPLY, **problem_responses(401, 403, 404, 422, 503)},
    openapi_extra=narrowed(),
)
async def follow_progress(
    activation_id: UUID,
    caller: PaymentsRead,
    request: Request,
    by: Grouping = None,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            pattern="^[0-9a-f]{32}$",
            max_length=32,
            description="The id of the last event that was read: what changed since is sent, where "
            "it is still known, and otherwise all of it.",
        ),
    ] = None,
) -> Response:
    """The same as it changes, within a second, until the activation is at rest. A stream ends
    after a quarter of an hour at the latest: come again, with the id of the last event."""
    following: Following = request.app.state.following
    what = Grouped(by, service.districts_of(caller))
    if last_event_id and await following.is_over(
        activation_id, what=what, last_event_id=last_event_id
    ):
        return Response(status_code=204)
    return HeldStream(
        following.pieces(
            activation_id, what=what, last_event_id=last_event_id, caller=caller.subject
        ),
        media_type=EVENT_STREAM,
        # Proxies would keep it until it is worth sending (nginx, proxy_buffering).
        headers={"X-Accel-Buffering": "no"},
    )
