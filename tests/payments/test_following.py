"""Following an activation as it happens: a snapshot, what changes, and an end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx

from services.payments.app import create_app
from services.payments.progress import following
from shared.ids import new_id
from shared.version import API_PREFIX
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import SILENCE, Steps, paid
from tests.plain import plain
from tests.server import eventually, serving

SECONDS = 60


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: dict[str, Any]


class Follower:
    """Reads events one by one, and keeps what they say as any reader would."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.events: list[Event] = []
        self.body: dict[str, Any] = {}

    async def next(self) -> Event | None:
        """The next event; None at the end of the stream."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line.startswith((":", "retry:")):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                event = Event(fields["event"], fields["id"], json.loads(fields["data"]))
                self._take(event)
                return event
        return None

    def _take(self, event: Event) -> None:
        self.events.append(event)
        groups = {group["key"]: group for group in self.body.get("groups", [])}
        changed = {group["key"]: group for group in event.data.get("groups", [])}
        self.body = {**({} if event.name == "snapshot" else self.body), **event.data}
        merged = changed if event.name == "snapshot" else {**groups, **changed}
        self.body["groups"] = [group for group in merged.values() if group["states"]]

    async def to_the_end(self) -> list[str]:
        """The names of all events until the stream ends."""
        async with asyncio.timeout(SECONDS):
            while await self.next():
                pass
        return [event.name for event in self.events]

    async def until(self, **counts: int) -> None:
        """Read until so many are in these states."""
        async with asyncio.timeout(SECONDS):
            while not counts.items() <= states(self.body).items():
                assert await self.next() is not None


def states(body: dict[str, Any]) -> dict[str, int]:
    return {each["status"]: each["count"] for each in body.get("totals", [])}


@asynccontextmanager
async def follow(
    world: World, activation_id: UUID, *, last_event_id: str | None = None, **parameters: str
) -> AsyncIterator[Follower]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with world.client.stream(
        "GET",
        f"/activations/{activation_id}/progress/stream",
        params=parameters,
        headers=headers,
        timeout=SECONDS,
    ) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Follower(answer)


def counted(body: dict[str, Any]) -> dict[str, Any]:
    return {
        name: body[name] for name in ("announced", "totals", "waits", "groups", "at_rest", "by")
    }


async def raised(world: World, steps: Steps, count: int = 4) -> UUID:
    """An activation with so many ready payments of two provinces."""
    owed = [
        replace(each, area=("020103", "150101")[number % 2])
        for number, each in enumerate(entitlements(count, provider="mekong"))
    ]
    announced = await world.registry.announce(owed)
    await steps.raise_announced()
    return announced.activation_id


async def test_a_follower_sees_all_of_it_as_it_happens(
    world: World, start_sandbox: StartSandbox
) -> None:
    start_sandbox(completion_delay_ms=(300, 1_500))
    await world.fund(100_000_000)
    async with world.working():
        announced = await world.registry.announce(entitlements(30))
        path = f"/activations/{announced.activation_id}/progress"

        async def is_known() -> bool:
            return (await world.client.get(path)).status_code == 200

        await eventually(is_known, seconds=SECONDS)
        async with follow(world, announced.activation_id, by="provider") as follower:
            names = await follower.to_the_end()
    assert (names[0], names[-1]) == ("snapshot", "end")
    assert set(names[1:-1]) == {"change"}
    assert states(follower.body) == {"settled": 30}
    told = await world.get(path, by="provider")
    assert counted(follower.body) == counted(told)
    # Nobody is in it: neither a household, nor a payment, nor an account.
    written = json.dumps([event.data for event in follower.events])
    assert "household" not in written
    assert "+855" not in written


async def test_who_comes_back_is_sent_what_changed(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    activation = await raised(world, steps)
    async with follow(world, activation, by="province") as staying:
        first = await staying.next()
        assert first is not None
        assert (first.name, states(first.data)) == ("snapshot", {"ready": 4})
        [order] = await steps.claim(size=1)
        await staying.until(ready=3, sending=1)
        # Whoever had the first event is sent the difference, and whoever had the last nothing.
        async with follow(world, activation, by="province", last_event_id=first.id) as returned:
            change = await returned.next()
            assert change is not None
            assert (change.name, states(change.data)) == ("change", {"ready": 3, "sending": 1})
            # One province changed, and the other is not told again.
            assert len(change.data["groups"]) == 1
        async with follow(
            world, activation, by="province", last_event_id=staying.events[-1].id
        ) as current:
            await steps.hear([(order.instruction_id, paid(order.instruction_id))])
            event = await asyncio.wait_for(current.next(), SECONDS)
            assert event is not None
            assert (event.name, states(event.data)) == ("change", {"ready": 3, "settled": 1})
        async with follow(world, activation, by="province", last_event_id="0" * 32) as stranger:
            event = await stranger.next()
            assert event is not None
            assert event.name == "snapshot"


async def test_another_process_takes_the_id_up(
    world: World, steps: Steps, unused_tcp_port: int
) -> None:
    await world.fund(10_000_000)
    activation = await raised(world, steps)
    async with follow(world, activation) as follower:
        first = await follower.next()
        assert first is not None
    # The first process is gone, as if killed; nobody there remembers what it sent.
    async with serving(create_app(), unused_tcp_port) as url:
        token = world.client.headers["Authorization"]
        async with (
            httpx.AsyncClient(base_url=url + API_PREFIX, timeout=SECONDS) as client,
            client.stream(
                "GET",
                f"/activations/{activation}/progress/stream",
                headers={"Authorization": token, "Last-Event-ID": first.id},
            ) as answer,
        ):
            again = Follower(answer)
            orders = await steps.claim(size=1)
            event = await asyncio.wait_for(again.next(), SECONDS)
            assert event is not None
            # Nothing had changed: the snapshot is not sent anew, and the next change is.
            assert (event.name, states(event.data)) == ("change", {"ready": 3, "sending": 1})
            await steps.hear([(order.instruction_id, SILENCE) for order in orders])
    # The server has stopped, with a stream that had no end of its own.


async def test_the_end_is_told_once(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    activation = await raised(world, steps)
    await steps.pay_all()
    await steps.close_all()
    async with follow(world, activation) as follower:
        assert await follower.to_the_end() == ["snapshot", "end"]
    path = f"/activations/{activation}/progress/stream"
    over = await world.client.get(path, headers={"Last-Event-ID": follower.events[-1].id})
    # What the standard says to who would come again and again.
    assert (over.status_code, over.content) == (204, b"")


async def test_who_never_reads_keeps_nobody_waiting(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    activation = await raised(world, steps)
    token = world.client.headers["Authorization"]
    async with AsyncExitStack() as stack:
        for _ in range(2):
            silent = await stack.enter_async_context(plain(world.service.url))
            await silent.send(
                f"GET {API_PREFIX}/activations/{activation}/progress/stream HTTP/1.1\r\n"
                f"Host: payments\r\nAuthorization: {token}\r\n\r\n".encode()
            )
        async with follow(world, activation) as follower:
            await follower.until(ready=4)
            # Three follow, and one reads the database for them.
            app = world.service.app.state.following
            assert [watched.followers for watched in app._watched.values()] == [3]
            assert len(app._tasks) == 1
            await steps.pay_all()
            await steps.close_all()
            assert (await follower.to_the_end())[-1] == "end"
        assert states(follower.body) == {"settled": 4}

    async def nobody_is_left() -> bool:
        return not app._watched and not app._tasks

    await eventually(nobody_is_left)


async def test_only_so_many_follow(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    activation = await raised(world, steps)
    path = f"/activations/{activation}/progress/stream"
    async with AsyncExitStack() as stack:
        # Kept: what httpx reads is closed with whoever read it.
        followers = [
            await stack.enter_async_context(follow(world, activation))
            for _ in range(following.FOLLOWERS_EACH)
        ]
        for follower in followers:
            assert await follower.next()
        refused = await world.client.get(path)
        assert (refused.status_code, refused.headers["retry-after"].isdigit()) == (503, True)
        assert (await world.client.get("/proofs")).status_code == 200
    unknown = await world.client.get(f"/activations/{new_id()}/progress/stream")
    assert unknown.status_code == 404
    bad = await world.client.get(path, headers={"Last-Event-ID": "not one of ours"})
    assert bad.status_code == 422
    async with world.service.client("funds:read") as other:
        assert (await other.get(path)).status_code == 403
    async with httpx.AsyncClient() as nobody:
        assert (await nobody.get(world.service.url + API_PREFIX + path)).status_code == 401
