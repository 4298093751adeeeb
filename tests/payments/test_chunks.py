"""A chunk is what was announced, or nothing of it is paid."""

from dataclasses import replace

import asyncpg
import pytest

from shared.contracts.entitlements import BINARY, COLUMNS
from tests.payments.announcing import Entitlement, copy_binary
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps
from tests.server import eventually


async def refused(world: World, steps: Steps, reason: str, **announcement: object) -> None:
    owed = announcement.pop("owed", None) or entitlements(3)
    announced = await world.registry.announce_chunk(owed, **announcement)  # type: ignore[arg-type]
    await steps.raise_announced()
    chunk = await world.chunk(announced)
    assert chunk["status"] == "refused"
    assert reason in chunk["reason"]
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


async def test_another_currency_is_refused(world: World, steps: Steps) -> None:
    owed = [*entitlements(2), Entitlement(account="+85512000009", currency="USD")]
    await refused(world, steps, "1 entitlements are not in KHR", owed=owed)


async def test_an_unknown_provider_is_refused(world: World, steps: Steps) -> None:
    owed = [*entitlements(2), Entitlement(account="+85512000009", provider="nowhere")]
    await refused(world, steps, "1 entitlements name a provider", owed=owed)


async def test_an_entitlement_without_an_amount_is_refused(world: World, steps: Steps) -> None:
    owed = [*entitlements(2), Entitlement(account="+85512000009", amount_minor=0)]
    await refused(world, steps, "1 entitlements have no amount", owed=owed)


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


async def test_rows_that_break_off_are_refused(world: World, steps: Steps) -> None:
    owed = entitlements(3)
    content = world.registry.content_of(owed)
    for length in range(0, len(content), 17):
        world.registry.chunks.clear()
        announced = await world.registry.announce_chunk(owed, content=content[:length])
        await steps.raise_announced()
        assert (await world.chunk(announced))["status"] == "refused", length
    assert await world.count("ready") == 0


async def test_an_entitlement_of_another_chunk_is_refused(world: World, steps: Steps) -> None:
    owed = entitlements(3)
    await world.registry.announce_chunk(owed)
    await steps.raise_announced()
    await refused(world, steps, "has an instruction from another chunk", owed=owed[:1])


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
