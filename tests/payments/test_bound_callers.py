"""Whoever is bound to a district is told of no payment elsewhere, by whatever they ask."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from tests.payments.cash import environment, filled, go_on, list_settings, listed, sheet, uploaded
from tests.payments.conftest import World
from tests.payments.steps import Steps
from tests.test_bound_callers import NARROWED

__all__ = ["environment", "list_settings"]

HERE, ELSEWHERE = "020103", "150101"
CSV = {"Content-Type": "text/csv"}


@dataclass(frozen=True)
class Side:
    """A commune's list from which cash is paid, of which the first line was."""

    list_id: str
    upload_id: str
    content: bytes
    paid: dict[str, Any]
    """The instruction of the first line."""
    waiting: dict[str, Any]
    """That of the second."""


async def _paid(
    world: World, steps: Steps, owner: asyncpg.Connection, cash_list: dict[str, Any]
) -> Side:
    rows = await sheet(world, cash_list["id"])
    content = filled(rows, {1: "paid"})
    given = await uploaded(world, cash_list["id"], content)
    await world.approve(given["id"])
    await go_on(steps, owner, times=2)
    lines = (await world.get(f"/cash-lists/{cash_list['id']}/lines"))["items"]
    first, second = [await world.get(f"/instructions/{line['instruction_id']}") for line in lines]
    assert (first["status"], second["status"]) == ("settled", "sending")
    return Side(cash_list["id"], given["id"], content, first, second)


def _asked(side: Side, activation_id: str) -> list[tuple[str, str]]:
    """Everything that is asked about one payment, or about the list that it is on."""
    lists, named = f"/cash-lists/{side.list_id}", "/v1/cash-lists/{list_id}"
    owed = f"/entitlements/{side.paid['entitlement_id']}"
    return [
        ("GET /v1/entitlements/{entitlement_id}/history", f"{owed}/history"),
        ("GET /v1/entitlements/{entitlement_id}/receipt", f"{owed}/receipt"),
        ("GET /v1/instructions/{instruction_id}", f"/instructions/{side.paid['id']}"),
        *(
            (f"GET {named}{path}", f"{lists}{path}")
            for path in ("", "/lines", "/sheet.csv", "/sheet.pdf", "/results")
        ),
        (f"GET {named}/results/{{upload_id}}", f"{lists}/results/{side.upload_id}"),
        (f"GET {named}/results/{{upload_id}}/rows", f"{lists}/results/{side.upload_id}/rows"),
        (f"POST {named}/results", f"{lists}/results"),
    ]


def _lists(there: Side, activation_id: str) -> list[tuple[str, str]]:
    progress = f"/activations/{activation_id}/progress"
    return [
        *(
            (operation, f"{path}{query}")
            for operation, path in (
                ("GET /v1/instructions", "/instructions"),
                ("GET /v1/instructions/export", "/instructions/export"),
            )
            for query in (
                "",
                f"?activation_id={activation_id}",
                f"?entitlement_id={there.paid['entitlement_id']}",
                "?status=settled",
            )
        ),
        ("GET /v1/cash-lists", "/cash-lists"),
        ("GET /v1/cash-lists", f"/cash-lists?area={ELSEWHERE}"),
        *(
            ("GET /v1/activations/{activation_id}/progress", f"{progress}?by={by}")
            for by in ("round", "province", "district", "provider")
        ),
    ]


_STREAM = "GET /v1/activations/{activation_id}/progress/stream"


async def test_no_payment_of_another_district_is_told_to_who_is_bound_to_one(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    lists = await listed(world, steps, owner, communes=(HERE, ELSEWHERE) * 2)
    here, there = [
        await _paid(world, steps, owner, next(each for each in lists if each["area_code"] == code))
        for code in (HERE, ELSEWHERE)
    ]
    activation_id = here.paid["activation_id"]
    assert there.paid["activation_id"] == activation_id
    secret = [ELSEWHERE, '"1501"', '"15"', there.list_id, there.upload_id]
    for payment in (there.paid, there.waiting):
        secret += [payment[name] for name in ("id", "entitlement_id", "household_id")]
    before = await owner.fetch("SELECT * FROM payments.cash_upload ORDER BY id")
    asked = _asked(there, activation_id)
    everything = {operation for operation, _ in asked + _lists(there, activation_id)}

    assert everything | {_STREAM} == NARROWED["payments"]
    async with (
        world.service.client(areas=["0201"]) as bound,
        world.service.client(areas=["1502"]) as nowhere,
    ):
        for operation, path in asked:
            answer = await _ask(bound, operation, path, there)
            assert answer.status_code == 404, (operation, answer.text)
        for operation, path in _asked(here, activation_id):
            answer = await _ask(bound, operation, path, here)
            assert answer.status_code < 300, (operation, answer.text)
            _require_none(secret, answer.text, operation)
        told = {}
        for _, path in _lists(there, activation_id):
            answer = await bound.get(path)
            assert answer.status_code == 200, (path, answer.text)
            told[path] = answer
            _require_none(secret, answer.text.replace(path, ""), path)
        progress = f"/activations/{activation_id}/progress"
        followed = await _first_of(bound, f"{progress}/stream?by=district")
        _require_none(secret, followed, "stream")
        assert '"020103"' not in followed
        assert '"0201"' in followed
        for path in (progress, f"{progress}/stream"):
            assert (await nowhere.get(path)).status_code == 404
        whole = await world.get(progress)
        alone = (await bound.get(f"/instructions/{here.paid['id']}")).json()

    assert await owner.fetch("SELECT * FROM payments.cash_upload ORDER BY id") == before
    listed_ids = {each["id"] for each in told["/instructions"].json()["items"]}
    assert listed_ids == {here.paid["id"], here.waiting["id"]}
    assert len(told["/instructions/export"].text.splitlines()) == 3
    assert (
        told[f"/instructions?entitlement_id={there.paid['entitlement_id']}"].json()["items"] == []
    )
    assert [each["id"] for each in told["/cash-lists"].json()["items"]] == [here.list_id]
    assert _counted(whole) == {"settled": 2, "sending": 2}
    for by in ("round", "province", "district", "provider"):
        mine = told[f"{progress}?by={by}"].json()
        assert _counted(mine) == {"settled": 1, "sending": 1}
        assert (mine["announced"], mine["ended_per_minute"]) == ([], None)
    # Rows of the ledger add up more than what is theirs.
    assert here.paid["transfers"] != []
    assert (alone["transfers"], alone["moves"]) == ([], here.paid["moves"])


async def test_communes_are_too_small_for_what_is_counted_by_district(world: World) -> None:
    path = "/activations/0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f/progress"
    async with world.service.client(areas=["0202", HERE]) as bound:
        for asked in (path, f"{path}/stream"):
            answer = await bound.get(asked)
            assert answer.status_code == 403
            assert "counted by district" in answer.json()["detail"]


def _require_none(secret: list[str], text: str, about: str) -> None:
    assert not [value for value in secret if value in text], (about, text)


def _counted(progress: dict[str, Any]) -> dict[str, int]:
    return {each["status"]: each["count"] for each in progress["totals"]}


async def _ask(client: httpx.AsyncClient, operation: str, path: str, side: Side) -> httpx.Response:
    if operation.startswith("GET"):
        return await client.get(path)
    key = {"Idempotency-Key": f"bound-{side.list_id}"}
    return await client.post(path, content=side.content, headers=CSV | key)


async def _first_of(client: httpx.AsyncClient, path: str) -> str:
    """What comes first of a stream."""
    lines = []
    async with client.stream("GET", path) as stream:
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            lines.append(line)
            if line.startswith("data:"):
                break
    return "\n".join(lines)
