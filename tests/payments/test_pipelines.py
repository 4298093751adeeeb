"""No request waits for another's answer, and none is cut off because another one failed."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from services.payments.answers.recording import Recording
from services.payments.providers.answers import Answer
from tests.payments.conftest import World, entitlements
from tests.payments.scripted import Script, after, answering, script
from tests.payments.steps import PENDING, SILENCE, Steps, paid
from tests.payments.test_provider_client import Speak, read_request, reply
from tests.server import eventually

pytestmark = pytest.mark.long

__all__ = ["script"]

_NEVER_SECONDS = 120


async def raised(world: World, steps: Steps, count: int, **common: Any) -> None:
    await world.fund(100_000_000)
    await world.registry.announce(entitlements(count, **common))
    await steps.raise_announced()


async def made_unknown(world: World, steps: Steps, count: int) -> None:
    """So many instructions of mekong that have no answer, and are to be asked about now."""
    await raised(world, steps, count, provider="mekong")
    orders = await steps.claim(size=count)
    await steps.hear([(order.instruction_id, SILENCE) for order in orders])
    await world.owner.execute("UPDATE payments.instruction SET next_action_at = now()")


async def test_a_provider_that_is_slow_to_say_what_became_holds_up_nobody(
    script: Script, world: World, steps: Steps
) -> None:
    await made_unknown(world, steps, 200)
    await raised(world, steps, 10)
    slow = after(_NEVER_SECONDS, PENDING)
    script.on_ask = slow
    began = time.monotonic()
    assert await steps.worker.step("inquire-mekong") > 0
    # Its other requests go out, and so do those of the other provider.
    script.on_send = lambda instruction_id: answering(paid(instruction_id))(instruction_id)
    for provider in ("mekong", "tonle"):
        assert await steps.worker.step(f"send-{provider}") == 5
    await world.until_count("settled", 10)
    assert await steps.worker.step("inquire-tonle") == 0
    # Asked about again no sooner than the first question was answered, or given up.
    await world.owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    await steps.worker.step("inquire-mekong")
    assert len(script.asked) == len(set(script.asked)) > 0
    await steps.worker.close()
    assert time.monotonic() - began < _NEVER_SECONDS / 2
    assert await world.count("unknown") == 200


async def test_answers_are_recorded_as_they_come(
    script: Script, world: World, steps: Steps
) -> None:
    await raised(world, steps, 20, provider="mekong")

    others_are_recorded = asyncio.Event()

    async def answer(instruction_id: UUID) -> Answer:
        if script.sent.index(instruction_id) == 0:
            await others_are_recorded.wait()
        return paid(instruction_id)

    script.on_send = answer
    try:
        await steps.worker.step("send-mekong")
        await world.until_count("settled", 19)
        # More is sent beside the one that is still awaited.
        await world.registry.announce(entitlements(4, provider="mekong"))

        async def is_raised() -> bool:
            for loop in ("events", "fetch-1", "release"):
                await steps.worker.step(loop)
            return await world.count("ready") == 4

        await eventually(is_raised)
        assert await steps.worker.step("send-mekong") == 4
    finally:
        others_are_recorded.set()
    await steps.wiring.settle_requests()
    assert await world.count("settled") == 24


async def test_what_cannot_be_recorded_at_once_cuts_nothing_off(
    script: Script, world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await raised(world, steps, 40, provider="mekong")
    store = Recording.store
    failures = 0

    async def fail_at_first(self: Recording, answers: Sequence[Any], *, actor: str) -> Any:
        nonlocal failures
        if failures < 3:
            failures += 1
            raise ConnectionResetError
        return await store(self, answers, actor=actor)

    monkeypatch.setattr(Recording, "store", fail_at_first)

    async def answer(instruction_id: UUID) -> Answer:
        await asyncio.sleep(0.01 * len(script.sent))
        return paid(instruction_id)

    script.on_send = answer
    while await steps.step("send-mekong"):
        pass
    assert failures == 3
    assert (len(script.sent), await world.count("settled")) == (40, 40)
    await world.proofs()


async def test_what_was_not_recorded_is_told_with_its_cause(
    script: Script, world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await raised(world, steps, 1, provider="mekong")
    monkeypatch.setattr("services.payments.dispatch.lane._KEEP_TRYING_SECONDS", 0)

    async def fail(*_: Any, **__: Any) -> Any:
        raise ConnectionResetError

    monkeypatch.setattr(Recording, "store", fail)
    assert await steps.step("send-mekong") == 1
    # The plain cause, in the step that comes next, which then begins nothing.
    with pytest.raises(ConnectionResetError):
        await steps.step("send-mekong")
    assert await steps.step("send-mekong") == 0


@asynccontextmanager
async def speaking(world: World, speak: Speak) -> AsyncIterator[None]:
    """A provider in the place of mekong: every connection is spoken to by ``speak``."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await speak(reader, writer)
        writer.close()

    port = urlsplit(world.settings.providers[0].base_url).port
    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def test_a_worker_ends_in_time_whatever_trickles(world: World, steps: Steps) -> None:
    await made_unknown(world, steps, 60)
    await raised(world, steps, 60, provider="mekong")
    trickling = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal trickling
        await read_request(reader)
        trickling += 1
        writer.write(reply(b"200 OK\nContent-Length: 1000"))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def many() -> bool:
        return trickling >= 16

    async with speaking(world, speak):
        async with world.working():
            await eventually(many)
            stopped = time.monotonic()
        took_seconds = time.monotonic() - stopped
    assert took_seconds < world.settings.provider_timeout_seconds + 4
    # Sent without an answer: unknown. Claimed and not sent: ready.
    assert await world.count("sending") == 0
    await world.proofs()


async def test_a_process_that_is_stopped_past_its_lease_and_woken_sends_nothing_of_it(
    world: World, steps: Steps, owner: asyncpg.Connection, environment: dict[str, str]
) -> None:
    """A worker in a process of its own, stopped by a signal while it has much to send."""
    await raised(world, steps, 40, provider="mekong")
    posted: list[str] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_request(reader)
            if head.startswith(b"POST"):
                found = re.search(rb"x-correlationid: ([0-9a-f-]+)", head.lower())
                assert found
                posted.append(found[1].decode())
                await asyncio.sleep(0.2)
            writer.write(reply(b"500 Not now\nContent-Length: 0"))

    async def begun() -> bool:
        return len(posted) >= 2

    async with speaking(world, speak):
        worker = subprocess.Popen(
            [sys.executable, "-m", "services", "payments-worker"],
            env={**os.environ, **environment, "PAYMENTS_DISPATCH_CONCURRENCY": "2"},
        )
        try:
            await eventually(begun)
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.3)
            before = list(posted)
            claimed = {
                str(row["id"])
                for row in await owner.fetch(
                    "SELECT id FROM payments.instruction WHERE status = 'sending'"
                )
            }
            waiting = claimed - set(before)
            assert waiting
            # Its lease ends, and another worker gives it up.
            await asyncio.sleep(world.settings.dispatch_lease_seconds + 0.2)
            await steps.step("leases")
            assert await world.count("sending") == 0
            worker.send_signal(signal.SIGCONT)
            await asyncio.sleep(2)
        finally:
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.wait()
    assert waiting.isdisjoint(posted)
    kept = {
        str(row["id"])
        for row in await owner.fetch("SELECT id FROM payments.instruction WHERE status = 'unknown'")
    }
    assert waiting <= kept
