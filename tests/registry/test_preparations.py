"""Triggers that are ready: whom their schemes would pay is counted, and nobody is enrolled."""

from base64 import b64decode
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from shared.contracts.events import TriggerReadied, TriggerStoodDown
from shared.ids import new_id
from tests.registry.flow import BATTAMBANG, PURSAT, Flow, rows
from tests.server import eventually

DAY = date(2020, 10, 8)


def readied(readiness_id: UUID, *areas: str, scheme: str = "flood-2022") -> TriggerReadied:
    return TriggerReadied(
        readiness_id=readiness_id,
        trigger="mekong-stage",
        trigger_version=1,
        scheme=scheme,
        shock="flood",
        areas=list(areas),
        readied_on=DAY,
    )


async def test_what_a_ready_trigger_would_come_to_is_counted_and_told(
    working: Flow, owner: asyncpg.Connection
) -> None:
    await working.register(
        [
            *rows(1),
            *rows(1, begin=1, provider_code="", account=""),
            *rows(1, begin=2, poverty_status="not-poor"),
            *rows(1, commune="150101"),
        ]
    )
    readiness_id = new_id()
    await working.from_triggers(readied(readiness_id, BATTAMBANG))

    async def households() -> int | None:
        answer = await working.client.get(f"/preparations/{readiness_id}")
        return answer.json()["households"] if answer.status_code == 200 else None

    async def counted() -> bool:
        return await households() == 2

    await eventually(counted)
    found = await working.get(f"/preparations/{readiness_id}")
    assert (found["fund"], found["currency"]) == ("national-relief", "KHR")
    assert (found["without_account"], found["without_provider"]) == (1, 0)
    assert found["amount_minor"] > 0
    # In more areas: the last count holds.
    await working.from_triggers(readied(readiness_id, BATTAMBANG, PURSAT))

    async def counted_anew() -> bool:
        return await households() == 3

    await eventually(counted_anew)
    told = await owner.fetch(
        "SELECT (data::jsonb->>'households')::int AS households, "
        "(data::jsonb->>'without_account')::int AS without_account FROM events.event "
        "WHERE type = 'org.sangkroh.preparation-counted.v1' ORDER BY sequence"
    )
    assert [tuple(row) for row in told] == [(2, 1), (3, 1)]
    await working.from_triggers(
        TriggerStoodDown(readiness_id=readiness_id, trigger="mekong-stage", stood_down_on=DAY)
    )

    async def stood_down() -> bool:
        return not (await working.get("/preparations", only_ready="true"))["items"]

    await eventually(stood_down)
    assert await owner.fetchval("SELECT count(*) FROM registry.enrolment") == 0


async def test_a_scheme_that_nobody_posted_is_told_as_why_nothing_is_counted(
    working: Flow, owner: asyncpg.Connection
) -> None:
    readiness_id = new_id()
    await working.from_triggers(readied(readiness_id, BATTAMBANG, scheme="nowhere"))

    async def kept() -> bool:
        return (await working.client.get(f"/preparations/{readiness_id}")).status_code == 200

    await eventually(kept)
    found = await working.get(f"/preparations/{readiness_id}")
    assert found["households"] is None
    assert "Post it to /v1/schemes" in found["not_counted"]
    assert (await working.client.get(f"/preparations/{new_id()}")).status_code == 404


async def test_accounts_of_whom_a_ready_trigger_would_pay_are_told_page_by_page(
    working: Flow, owner: asyncpg.Connection
) -> None:
    await working.register(
        [
            *rows(5),
            *rows(1, begin=5, provider_code="", account=""),
            *rows(1, begin=6, poverty_status="not-poor"),
            *rows(1, commune="150101"),
        ]
    )
    readiness_id = new_id()
    await working.from_triggers(readied(readiness_id, BATTAMBANG))

    async def counted() -> bool:
        return (await working.client.get(f"/preparations/{readiness_id}")).status_code == 200

    await eventually(counted)
    path = f"/preparations/{readiness_id}/accounts"
    providers = [
        row["provider_code"]
        for row in await owner.fetch("SELECT DISTINCT provider_code FROM registry.payee_account")
    ]
    told: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        page = await working.get(path, provider=providers, limit=2, **after)
        told += page["items"]
        assert len(page["items"]) <= 2
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}
    expected = await owner.fetch(
        "SELECT household_id, account_sealed, "
        "substr(sha256(account_index), 1, 8) AS account_fingerprint, "
        "substr(sha256(content_index), 1, 8) AS household_fingerprint "
        "FROM registry.payee_account JOIN registry.household ON household.id = household_id "
        "WHERE poverty_status <> 'not-poor' AND area_code LIKE '02%' ORDER BY household_id"
    )
    assert len(expected) == 5
    assert [
        (
            UUID(each["household_id"]),
            *(b64decode(each[name]) for name in list(expected[0].keys())[1:]),
        )
        for each in told
    ] == [tuple(row) for row in expected]
    assert (await working.get(path, provider=["nobody"]))["items"] == []
    assert (await working.client.get(path)).status_code == 422
    async with working.service.client("enrolments:read") as other:
        assert (await other.get(path, params={"provider": "wing"})).status_code == 403
    await working.from_triggers(
        TriggerStoodDown(readiness_id=readiness_id, trigger="mekong-stage", stood_down_on=DAY)
    )

    async def refused() -> bool:
        answer = await working.client.get(path, params={"provider": providers})
        return answer.status_code == 409

    await eventually(refused)
    missing = f"/preparations/{new_id()}/accounts"
    assert (await working.client.get(missing, params={"provider": "wing"})).status_code == 404
