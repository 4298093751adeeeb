"""A worker that is killed while payments happen leaves no count wrong."""

import os
import subprocess
import sys

import asyncpg
import pytest

from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.test_activation_progress import require_equal
from tests.server import eventually

pytestmark = pytest.mark.long

SECONDS = 90


async def test_counts_are_right_after_a_worker_was_killed(
    world: World, start_sandbox: StartSandbox, owner: asyncpg.Connection
) -> None:
    start_sandbox(completion_delay_ms=(100, 2_000))
    await world.fund(100_000_000)
    announced = await world.registry.announce(entitlements(60))
    for settled in (1, 20):
        worker = subprocess.Popen(
            [sys.executable, "-m", "services", "payments-worker"],
            env=os.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:

            async def some_are_paid(wanted: int = settled) -> bool:
                return await world.count("settled") >= wanted

            await eventually(some_are_paid, seconds=SECONDS)
        finally:
            worker.kill()
            worker.wait()
        await require_equal(world, owner, announced.activation_id)
        await world.proofs()
    async with world.working():
        await world.until_chunk(announced, "settled", seconds=SECONDS)
    await require_equal(world, owner, announced.activation_id)
    await world.proofs()
    told = await world.events("org.sangkroh.payments-counted.v1")
    counts = [(event["counted_at"], event["paid_count"]) for event in told]
    assert counts == sorted(counts)
