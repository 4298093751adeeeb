"""The service as the tests of triggers drive it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.conftest import ServeService
from tests.triggers.flow import Flow


@pytest.fixture
async def flow(
    serve: ServeService, owner: asyncpg.Connection, clock_file: Path
) -> AsyncIterator[Flow]:
    """The unmodified service over HTTP, without its worker."""
    service = await serve("triggers")
    async with service.client() as client:
        yield Flow(client, lambda subject: service.client(subject=subject), owner, clock_file)


@pytest.fixture
async def working(flow: Flow, run_worker: Callable[[str], Any]) -> AsyncIterator[Flow]:
    """The unmodified service over HTTP, with its worker."""
    async with run_worker("triggers"):
        yield flow
