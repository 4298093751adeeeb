"""The metrics over HTTP, for Prometheus or whatever reads its format."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from shared.auth import Caller, require
from shared.errors import problem_responses
from shared.metrics.monitoring import Monitoring

router = APIRouter(tags=["metrics"])

MetricsRead = Annotated[Caller, require("metrics:read")]

_EXAMPLE = """\
# HELP sangkroh_events_oldest_waiting_seconds Since the oldest event was told that waits.
# TYPE sangkroh_events_oldest_waiting_seconds gauge
sangkroh_events_oldest_waiting_seconds{consumer="activations"} 0.4
"""


class Exposition(Response):
    """The text format of Prometheus."""

    media_type = CONTENT_TYPE_PLAIN_0_0_4


@router.get(
    "/metrics",
    summary="Read what there is to watch",
    response_class=Exposition,
    responses={
        200: {
            "description": "The text format of Prometheus 0.0.4.",
            "content": {CONTENT_TYPE_PLAIN_0_0_4: {"example": _EXAMPLE}},
        },
        **problem_responses(401, 403),
    },
)
async def read_metrics(_: MetricsRead, request: Request) -> Exposition:
    """What this process answered, and what waits, fails and is wrong in the whole service, as
    numbers by kind and code. No household, no payment, no name is among them. Who asks more than
    once in ten seconds is told the same of the database.
    """
    monitoring: Monitoring = request.app.state.monitoring
    return Exposition(await monitoring.exposition())
