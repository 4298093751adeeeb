"""The same figures in whatever order, batches and delays, by two workers: the same activations."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import date, timedelta
from typing import Any

import pytest

from tests.triggers.data import FLOOD_INDICATOR, RICE_INDICATOR, flood_reports, rice_by_month
from tests.triggers.flow import Flow

pytestmark = pytest.mark.long

ORDERS = 3
"""Over HTTP. Hundreds are told from plain values, in test_history."""

RICE_ON = date(2023, 11, 1)
FLOOD_ON = date(2020, 10, 31)


async def activated(flow: Flow) -> list[dict[str, Any]]:
    """The activations, but for what depends on when they were proposed."""
    return [
        {
            **{
                key: activation[key]
                for key in ("id", "trigger", "state", "severity", "evidence_from", "evidence_to")
            },
            "areas": sorted(area["area"] for area in activation["areas"]),
        }
        for activation in await flow.activations()
    ]


async def evaluated(flow: Flow, trigger: str) -> dict[str, str]:
    """Which evaluations there are, and what was found by each."""
    return {each["id"]: each["digest"] for each in await flow.evaluations(trigger)}


@pytest.mark.parametrize("order", range(ORDERS))
async def test_the_order_of_rice_prices_decides_nothing(
    flow: Flow, run_worker: Callable[[str], Any], order: int
) -> None:
    chance = random.Random(order)
    rows = [row for month, rows in rice_by_month() if month < RICE_ON for row in rows]
    rows = [row for row in rows if row["published_on"] < RICE_ON.isoformat()]
    if order:
        chance.shuffle(rows)
    flow.go_to(RICE_ON)
    await flow.set_up(RICE_INDICATOR, "rice-price-spike")
    async with AsyncExitStack() as workers:
        for _ in range(2):
            await workers.enter_async_context(run_worker("triggers"))
        while rows:
            size = chance.randrange(100, 900)
            await flow.record(RICE_INDICATOR, rows[:size])
            rows = rows[size:]
            await asyncio.sleep(chance.random() / 10)
        # Nothing is judged before the day is over, whatever has come of it.
        assert await flow.evaluations("rice-price-spike") == []
        flow.go_to(RICE_ON + timedelta(days=1))
        await flow.caught_up()
    (activation,) = await activated(flow)
    assert (activation["evidence_from"], activation["severity"]) == ("2023-08-01", "extreme")
    told = {each["judged_from"]: each for each in await flow.evaluations("rice-price-spike")}
    assert set(told) == {"2023-08-01", "2023-09-01"}
    if not order:
        flow_seen.clear()
    flow_seen.append(await evaluated(flow, "rice-price-spike"))
    assert flow_seen[-1] == flow_seen[0]


flow_seen: list[dict[str, str]] = []
"""What each order before came to."""


async def test_reports_of_one_day_in_any_batches_open_the_same(
    flow: Flow, run_worker: Callable[[str], Any], environment: dict[str, str]
) -> None:
    flow.go_to(FLOOD_ON)
    await flow.set_up(FLOOD_INDICATOR, "flood-reported-impact")
    rows = [row for _, rows in flood_reports() for row in rows]
    random.Random(7).shuffle(rows)
    async with AsyncExitStack() as workers:
        for _ in range(2):
            await workers.enter_async_context(run_worker("triggers"))
        for row in rows:
            await flow.record(FLOOD_INDICATOR, [row])
        await flow.caught_up()
    (activation,) = await activated(flow)
    assert (activation["evidence_from"], activation["evidence_to"]) == ("2020-10-12", "2020-10-20")
    assert len(activation["areas"]) == 19

    # Each evaluation follows from what was known, which a command proves; and finds one that
    # does not.
    assert rejudged(environment) == 0
    await flow.owner.execute(
        "UPDATE triggers.evaluation SET stage = 'none' WHERE id = "
        "(SELECT id FROM triggers.evaluation WHERE stage = 'activation' LIMIT 1)"
    )
    assert rejudged(environment) == 1


def rejudged(environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "services", "rejudge"]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, check=False
    ).returncode
