"""A chunk is what was announced, or nothing of it is paid."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from shared.contracts.entitlements import BINARY, COLUMNS
from tests.payments.announcing import Announced, copy_binary
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps
from tests.server import eventually


async def until_decided(world: World, steps: Steps, announced: Announced) -> Any:
    """Fetch a chunk as often as it takes."""

    async def decided() -> bool:
        await steps.raise_announced()
        return bool((await world.chunk(announced))["status"] != "announced")

    await eventually(decided)
    return await world.chunk(announced)


async def refused(world: World, steps: Steps, reason: str, **announcement: object) -> None:
    owed = announcement.pop("owed", None) or entitlements(3)
    before = world.registry.fetches
    announced = await world.registry.announce_chunk(owed, **announcement)  # type: ignore[arg-type]
    chunk = await until_decided(world, steps, announced)
    assert chunk["status"] == "refused"
    assert reason in chunk["reason"]
    assert world.registry.fetches - before == world.settings.chunk_fetches_before_refusal
    page = await world.get("/instructions", chunk_id=str(announced.chunk_id))
    assert page["items"] == []
    [event] = await world.events("org.sangkroh.chunk-refused.v1")
    assert event["chunk_id"] == str(announced.chunk_id)
    assert event["reason"] == chunk["reason"]
    await world.proofs()


async def test_another_count_than_announced_is_refused(world: World, steps: Steps) -> None:
    await refused(world, steps, "4 entitlements were announced, 3 came", count=4)


async def test_another_total_than_announced_is_refused(world: World, steps: Steps) -> None:
    await refused(world, steps, "288,001 KHR were announced, 288,000 KHR came", total_minor=288_001)


async def test_an_entitlement_twice_in_a_chunk_is_refused(world: World, steps: Steps) -> None:
    [entitlement] = entitlements(1)
    await refused(world, steps, "is in it twice", owed=[entitlement, entitlement])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no,copy,at,all\n",
        copy_binary([[None] * len(COLUMNS)]),
        copy_binary([[b"too", b"few"]]),
        copy_binary([[b"short"] * len(COLUMNS)]),
        copy_binary([[b""] * len(COLUMNS)])[:-20],
        copy_binary([])[:-2] + b"\x00\x07\x7f\xff\xff\xff",
    ],
)
async def test_rows_that_cannot_be_read_are_refused(
    world: World, steps: Steps, content: bytes
) -> None:
    await refused(world, steps, "Its rows cannot be read", content=content)


async def test_rows_that_break_off_are_refused(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.wiring.settings, "chunk_fetches_before_refusal", 1)
    owed = entitlements(3)
    content = world.registry.content_of(owed)
    # Without the end mark alone, of two bytes, all rows are there: count and sum say so.
    for length in range(0, len(content) - 2, 17):
        world.registry.chunks.clear()
        announced = await world.registry.announce_chunk(owed, content=content[:length])
        await steps.raise_announced()
        assert (await world.chunk(announced))["status"] == "refused", length
    assert await world.count("ready") == 0


async def test_a_chunk_that_is_too_large_is_refused(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.wiring.settings, "chunk_maximum_bytes", 100)
    await refused(world, steps, "larger than 100 bytes")


async def test_a_registry_that_fails_is_asked_again(world: World) -> None:
    world.registry.status = 503
    announced = await world.registry.announce_chunk(entitlements(3))
    async with world.working():

        async def failed() -> bool:
            answer = await world.client.get(f"/chunks/{announced.chunk_id}")
            return answer.status_code == 200 and "503" in (answer.json()["reason"] or "")

        await eventually(failed)
        world.registry.status = 200
        await world.until_chunk(announced, "raised")
    assert (await world.chunk(announced))["reason"] is None


@pytest.mark.parametrize("wrong", [b"", b"no,copy,at,all", None])
async def test_a_chunk_that_came_wrong_is_fetched_anew_by_itself(
    world: World, wrong: bytes | None
) -> None:
    owed = entitlements(3)
    announced = await world.registry.announce_chunk(
        owed, content=world.registry.content_of(owed[:2]) if wrong is None else wrong
    )
    async with world.working():

        async def told() -> bool:
            answer = await world.client.get(f"/chunks/{announced.chunk_id}")
            return answer.status_code == 200 and "by itself" in (answer.json()["reason"] or "")

        await eventually(told)
        world.registry.chunks[announced.chunk_id] = world.registry.content_of(owed)
        await world.until_chunk(announced, "raised")
    assert await world.count("ready") == 3
    assert await world.events("org.sangkroh.chunk-refused.v1") == []


async def test_a_chunk_that_the_registry_does_not_know_is_refused_after_some_time(
    world: World, steps: Steps
) -> None:
    announced = await world.registry.announce_chunk(entitlements(3))
    world.registry.chunks.clear()
    chunk = await until_decided(world, steps, announced)
    assert (chunk["status"], chunk["reason"]) == ("refused", "The registry does not know it.")
    assert world.registry.fetches == world.settings.chunk_fetches_before_refusal


async def test_another_format_than_the_agreed_is_not_taken_for_the_chunk(world: World) -> None:
    world.registry.media_type = "text/html"
    announced = await world.registry.announce_chunk(entitlements(3))
    async with world.working():

        async def asked_again() -> bool:
            answer = await world.client.get(f"/chunks/{announced.chunk_id}")
            return answer.status_code == 200 and bool(answer.json()["reason"])

        await eventually(asked_again)
        assert (await world.chunk(announced))["status"] == "announced"
        world.registry.media_type = BINARY
        await world.until_chunk(announced, "raised")


async def test_an_announcement_that_is_read_twice_raises_once(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    owed = entitlements(3)
    await world.registry.announce(owed)
    await steps.raise_announced()
    await owner.execute("UPDATE payments.event_cursor SET transaction_id = '0', sequence = 0")
    await steps.raise_announced()
    assert world.registry.fetches == 1
    assert await world.count("ready") == 3


async def test_chunks_are_listed_in_pages(world: World, steps: Steps) -> None:
    for number in range(3):
        await world.registry.announce_chunk(
            [
                replace(entitlement, account=f"+8551{number}000000")
                for entitlement in entitlements(2)
            ]
        )
    await steps.raise_announced()
    first = await world.get("/chunks", limit=2)
    assert len(first["items"]) == 2
    second = await world.get("/chunks", limit=2, cursor=first["next_cursor"])
    assert len(second["items"]) == 1
    assert second["next_cursor"] is None
    assert (await world.get("/chunks", status="refused"))["items"] == []
