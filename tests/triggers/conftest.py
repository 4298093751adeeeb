"""The service as the tests of triggers drive it: beside a registry, which it asks."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import SCHEMES
from services.registry.schemes.shipped import SHIPPED_SCHEMES, shipped_document
from shared.documents.repository import add_version
from tests.conftest import NOON, DatabaseServer, RunningService, ServeService
from tests.gazetteer import with_gazetteer
from tests.triggers.flow import Flow


@pytest.fixture(scope="session")
def template(template: str, database_server: DatabaseServer) -> str:
    """A migrated database with the gazetteer and the shipped schemes."""

    async def post_schemes(session: AsyncSession) -> None:
        for code in SHIPPED_SCHEMES:
            scheme = SchemeDocument.model_validate(shipped_document(code))
            await add_version(session, SCHEMES, scheme, version=1, posted_by="test", posted_at=NOON)

    return with_gazetteer(template, database_server, name="with_schemes", more=post_schemes)


@pytest.fixture
async def registry(serve: ServeService) -> RunningService:
    """The unmodified registry over HTTP."""
    service: RunningService = await serve("registry")
    return service


@pytest.fixture
async def alone(
    serve: ServeService, owner: asyncpg.Connection, clock_file: Path
) -> AsyncIterator[Flow]:
    """The unmodified service over HTTP, while no registry runs."""
    service = await serve("triggers")
    async with service.client() as client:
        yield Flow(client, lambda subject: service.client(subject=subject), owner, clock_file)


@pytest.fixture
async def flow(registry: RunningService, alone: Flow) -> Flow:
    """The unmodified service over HTTP, beside the registry, without its worker."""
    return alone


@pytest.fixture
async def working(flow: Flow, run_worker: Callable[[str], Any]) -> AsyncIterator[Flow]:
    """The unmodified service over HTTP, beside the registry, with its worker."""
    async with run_worker("triggers"):
        yield flow
