"""The registry as its tests drive it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.registry.worker import create_worker
from shared.database import Database
from shared.worker import Worker
from tests.conftest import DatabaseServer, ServeService
from tests.gazetteer import with_gazetteer
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.paying import Announced, Payments


@pytest.fixture(scope="session")
def template(template: str, database_server: DatabaseServer) -> str:
    """A migrated database with the gazetteer."""
    return with_gazetteer(template, database_server, name="with_gazetteer")


@pytest.fixture
async def flow(
    serve: ServeService,
    owner: asyncpg.Connection,
    environment: dict[str, str],
    clock_file: Path,
) -> AsyncIterator[Flow]:
    """The unmodified service over HTTP with the gazetteer, without its worker."""
    service = await serve("registry")
    triggers, payments = (
        Database(environment[f"{name}_DATABASE_URL"], application_name="test")
        for name in ("TRIGGERS", "PAYMENTS")
    )
    async with service.client() as client:
        yield Flow(service, client, owner, triggers, payments, clock_file)
    await triggers.dispose()
    await payments.dispose()


@pytest.fixture
async def empty(flow: Flow) -> Flow:
    """The unmodified service with nothing in it, without its worker."""
    await flow.owner.execute("TRUNCATE registry.area CASCADE")
    return flow


@pytest.fixture
async def working(flow: Flow, run_worker: Callable[[str], Any]) -> AsyncIterator[Flow]:
    """The unmodified service with the gazetteer and the flood scheme, and with its worker."""
    await flow.post_scheme()
    async with run_worker("registry"):
        yield flow


@pytest.fixture
async def worker(flow: Flow) -> AsyncIterator[Worker]:
    """The registry's worker, whose loops a test steps by hand."""
    made = create_worker()
    # The first look at the events makes the cursor, and reads nothing.
    await made.step("events")
    yield made
    await made.close()


@pytest.fixture
async def payments(environment: dict[str, str]) -> AsyncIterator[Payments]:
    """What stands for payments, where the registry looks for it."""
    stand_in = Payments()
    async with stand_in.running(environment["PAYMENTS_URL"]):
        yield stand_in


@pytest.fixture
async def announced(working: Flow) -> Announced:
    """A chunk of three entitlements that was announced."""
    await working.register(rows(3))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    (chunk,) = await working.chunks(activation_id)
    return await Announced.of(working, activation_id, chunk["id"])
