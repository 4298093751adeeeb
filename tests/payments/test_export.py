"""Payments as CSV: all that the list shows, no accounts, and nothing that a spreadsheet runs."""

import csv
from typing import Any
from uuid import UUID

import pytest

from services.payments.instructions import export
from services.payments.providers.answers import Answer, AnswerKind
from shared.ids import new_id
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps, paid
from tests.server import eventually


async def exported(world: World, **filters: Any) -> list[dict[str, str]]:
    answer = await world.client.get("/instructions/export", params=filters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert answer.text.startswith(",".join(export.COLUMNS) + "\r\n")
    return rows


async def listed(world: World, **filters: Any) -> set[str]:
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = await world.get("/instructions", limit=3, **filters, **cursor)
        found |= {item["id"] for item in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def test_the_export_is_what_the_list_shows(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several pieces of a chunk, and several chunks.
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 3)
    await world.fund(10_000_000)
    first = await world.registry.announce(entitlements(7))
    second = await world.registry.announce(entitlements(4))
    await steps.raise_announced()
    orders = await steps.claim("mekong")
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders[:3]])
    some = (await world.get("/instructions"))["items"][0]
    for filters in (
        {},
        {"activation_id": str(first.activation_id)},
        {"chunk_id": str(second.chunk_id)},
        {"status": "settled"},
        {"provider": "tonle", "activation_id": str(second.activation_id)},
        {"entitlement_id": some["entitlement_id"]},
        {"entitlement_id": str(new_id())},
        {"activation_id": str(new_id())},
    ):
        rows = await exported(world, **filters)
        ids = [row["instruction_id"] for row in rows]
        assert len(ids) == len(set(ids))
        assert set(ids) == await listed(world, **filters)
    row = next(
        row
        for row in await exported(world)
        if row["instruction_id"] == str(orders[0].instruction_id)
    )
    shown = await world.get(f"/instructions/{orders[0].instruction_id}")
    for name in ("entitlement_id", "household_id", "scheme", "provider", "currency", "status"):
        assert row[name] == shown[name]
    assert row["amount_minor"] == str(shown["amount_minor"])
    assert row["area_code"] == "020103"
    assert row["finished_at"].endswith("Z")
    assert (
        await world.client.get("/instructions/export", params={"state": "x"})
    ).status_code == 422
    async with world.service.client("funds:read") as other:
        assert (await other.get("/instructions/export")).status_code == 403


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
async def test_what_a_provider_wrote_is_no_formula(world: World, steps: Steps, sign: str) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    first, second = await steps.claim()
    wrote = f'{sign}HYPERLINK("http://example.org","paid")'
    rejected = Answer(AnswerKind.REJECTED, reason=wrote)
    await steps.hear(
        [
            (first.instruction_id, paid(first.instruction_id, reference=wrote)),
            (second.instruction_id, rejected),
        ]
    )
    rows = {UUID(row["instruction_id"]): row for row in await exported(world)}
    assert rows[first.instruction_id]["transaction_reference"] == f"'{wrote}"
    assert rows[second.instruction_id]["reason"] == f"'{wrote}"
    assert rows[first.instruction_id]["amount_minor"] == "96000"


async def test_no_account_is_in_it(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(3, account="+85512345678"))
    await steps.raise_announced()
    answer = await world.client.get("/instructions/export")
    assert answer.text.count("\r\n") == 4
    assert "85512345678" not in answer.text
    assert not {"account", "phone", "name"} & set(answer.text.partition("\r\n")[0].split(","))


async def recorded(world: World) -> list[dict[str, Any]]:
    """What the audit record has of the exports, the earlier first."""
    page = await world.get("/audit", object="instructions/export", limit=500)
    records = page["items"]
    assert {record["operation"] for record in records} <= {"GET /v1/instructions/export"}
    return sorted((record for record in records), key=lambda record: str(record["id"]))


async def test_who_takes_payments_out_is_recorded_with_filters_and_rows(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fund(100_000_000)
    await world.registry.announce(entitlements(150))
    await steps.raise_announced()
    headers = {"Access-Purpose": "For the ministry's spreadsheet."}
    filters = {"provider": "tonle", "status": "ready"}
    given = filters
    answer = await world.client.get("/instructions/export", params=given, headers=headers)
    assert answer.status_code == 200
    begun, ended = await recorded(world)
    assert begun["action"] == ended["action"] == "export"
    assert begun["subject"] == ended["subject"] == "officer@test"
    assert {begun["reason"], ended["reason"]} == {headers["Access-Purpose"]}
    assert begun["after"] == {"media_type": "text/csv", "filters": filters}
    assert ended["after"] == {**begun["after"], "rows": 75, "whole": True}
    # Whoever breaks off has had a part of it.
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 1)
    async with world.client.stream("GET", "/instructions/export") as part:
        await anext(part.aiter_bytes())

    async def told() -> bool:
        return len(await recorded(world)) == 4

    await eventually(told)
    [*_, last] = await recorded(world)
    assert last["after"]["whole"] is False
    assert last["after"]["rows"] < 150
    # Nor is what was refused.
    async with world.service.client("funds:read") as other:
        await other.get("/instructions/export")
    assert len(await recorded(world)) == 4
