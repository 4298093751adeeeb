"""The registry as its tests drive it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.database import Database
from tests.conftest import ServeService
from tests.registry.flow import Flow


@pytest.fixture
async def empty(
    serve: ServeService,
    owner: asyncpg.Connection,
    environment: dict[str, str],
    clock_file: Path,
) -> AsyncIterator[Flow]:
    """The unmodified service over HTTP, with nothing in it and without its worker."""
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
async def flow(empty: Flow) -> Flow:
    """The unmodified service with the gazetteer, without its worker."""
    await empty.load_gazetteer()
    return empty


@pytest.fixture
async def working(flow: Flow, run_worker: Callable[[str], Any]) -> AsyncIterator[Flow]:
    """The unmodified service with the gazetteer and the flood scheme, and with its worker."""
    await flow.post_scheme()
    async with run_worker("registry"):
        yield flow
