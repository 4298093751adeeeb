"""The worker tells histories on from where triggers stood, which comes to what telling all does."""

import random
from datetime import date, timedelta
from typing import Any

import asyncpg

from tests.triggers.data import FLOOD_INDICATOR, flood_reports
from tests.triggers.flow import Flow

FLOOD = "flood-reported-impact"
FIRST = date(2020, 10, 12)


async def known(owner: asyncpg.Connection) -> list[Any]:
    """What the triggers had to say, and what came of it."""
    return [
        await owner.fetch(
            "SELECT id, digest, stage FROM triggers.evaluation "
            "WHERE decided_on < (SELECT max(decided_on) FROM triggers.evaluation) ORDER BY id"
        ),
        await owner.fetch("SELECT id, state, severity, evidence_to FROM triggers.activation"),
        await owner.fetch("SELECT id, stood_down_on, areas FROM triggers.readiness ORDER BY id"),
    ]


async def judged_again(flow: Flow) -> None:
    await flow.owner.execute("UPDATE triggers.indicator SET judge_at = '2020-01-01'")
    await flow.caught_up()


async def test_reports_that_come_late_are_told_on_the_day_of_their_publication(
    working: Flow,
) -> None:
    flow = working
    chance = random.Random(3)
    flow.go_to(FIRST)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    arrivals: dict[date, list[dict[str, Any]]] = {}
    for _, rows in flood_reports():
        for row in rows:
            late_days = chance.choice([0, 0, 0, 0, 1, 2, 12])
            on = max(FIRST, date.fromisoformat(row["published_on"]) + timedelta(days=late_days))
            arrivals.setdefault(on, []).append(row)
    for on in sorted(arrivals):
        flow.go_to(on)
        await flow.record(FLOOD_INDICATOR, arrivals[on])
        await flow.caught_up()
    assert await flow.owner.fetchval("SELECT count(*) FROM triggers.trigger_standing") > 1

    # The same again, from the beginning: whatever is told is kept already.
    told = await known(flow.owner)
    await flow.owner.execute("DELETE FROM triggers.trigger_standing")
    await judged_again(flow)
    assert await known(flow.owner) == told
    assert await flow.owner.fetchval("SELECT count(*) FROM triggers.trigger_standing") > 0


async def test_what_is_told_already_is_not_told_again(working: Flow) -> None:
    flow = working
    flow.go_to(FIRST)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    for _, rows in flood_reports():
        flow.go_to(date.fromisoformat(rows[0]["published_on"]))
        await flow.record(FLOOD_INDICATOR, rows)
        await flow.caught_up()
    begun = "SELECT standing #>> '{episodes,0,episode,decided_on}' FROM triggers.trigger_standing"
    last = f"{begun} ORDER BY told_to DESC LIMIT 1"
    assert await flow.owner.fetchval(last) == FIRST.isoformat()

    # Where nothing was told yet, it is told anew from there on: the days before are not looked at.
    (latest,) = await flow.owner.fetch("SELECT max(told_to) FROM triggers.trigger_standing")
    await flow.owner.execute(
        "UPDATE triggers.trigger_standing "
        """SET standing = standing || '{"readiness": [], "episodes": [], "latest": []}'"""
    )
    flow.go_to(FIRST + timedelta(days=30))
    await judged_again(flow)
    begun_on = date.fromisoformat(await flow.owner.fetchval(last))
    assert begun_on > latest[0]


async def test_another_version_of_the_product_tells_it_from_its_beginning(working: Flow) -> None:
    flow = working
    flow.go_to(FIRST)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    for _, rows in flood_reports():
        flow.go_to(date.fromisoformat(rows[0]["published_on"]))
        await flow.record(FLOOD_INDICATOR, rows)
        await flow.caught_up()
    await flow.owner.execute(
        "UPDATE triggers.trigger_standing SET told_by = 'another', "
        """standing = standing || '{"readiness": [], "episodes": [], "latest": []}'"""
    )
    told = await known(flow.owner)
    await judged_again(flow)
    assert await known(flow.owner) == told
