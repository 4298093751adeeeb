"""Whatever is asked of triggers, the answer is one that its OpenAPI document tells of."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.conftest import RunningService, ServeService
from tests.fuzzing import Stage, hold_against_document
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow

pytestmark = pytest.mark.long

TRIGGER = "flood-reported-impact"
DAY = date(2022, 10, 2)


@pytest.mark.usefixtures("nothing_unrecorded")
async def test_every_answer_is_as_the_document_says(
    serve: ServeService,
    registry: RunningService,
    run_worker: Callable[[str], Any],
    owner: asyncpg.Connection,
    clock_file: Path,
) -> None:
    service = await serve("triggers")
    async with service.client() as client, run_worker("triggers"):
        flow = Flow(client, lambda subject: service.client(subject=subject), owner, clock_file)
        flow.go_to(DAY)
        await flow.set_up(FLOOD_INDICATOR, TRIGGER)
        declared = await flow.created(
            "/activations",
            {
                "trigger": TRIGGER,
                "areas": ["12", "0801"],
                "severity": "severe",
                "observed_on": DAY.isoformat(),
                "reason": "Flash flood; the committee's count is late.",
            },
        )
        await flow.record(
            FLOOD_INDICATOR,
            [
                {
                    "area": "12",
                    "source": "HRF",
                    "observed_on": DAY.isoformat(),
                    "published_on": DAY.isoformat(),
                    "value": 30_000,
                }
            ],
        )
        await flow.caught_up()
        events = await flow.got("/events")
        stage = Stage(
            service,
            values={
                "code": [TRIGGER, FLOOD_INDICATOR["code"]],
                "version": [1],
                "activation_id": [declared["id"]],
                "event_id": [events["items"][0]["id"]],
            },
        )

        await hold_against_document(stage)
