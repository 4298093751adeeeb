"""What whoever watches a service is told: what it answers, what waits, and what cannot be told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from services.processes import SERVICES
from shared.auth import development
from shared.auth.roles import Role
from shared.clock import set_clock
from shared.events import Event, append
from shared.ids import new_id
from tests.conftest import NOON, RunningService, ServeService
from tests.exposition import watched

MONITOR = "metrics:read"
MEASURED = {
    "registry": ["events", "approvals", "chunks", "imports", "appeals"],
    "triggers": ["events", "approvals", "feeds", "doubtful"],
    "payments": ["events", "approvals", "alarms", "unresolved", "providers"],
}


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for service in SERVICES:
        monkeypatch.setenv(f"{service.upper()}_METRICS_KEPT_SECONDS", "0")
    return environment


@pytest.fixture
async def registry(serve: ServeService) -> RunningService:
    service: RunningService = await serve("registry")
    return service


@pytest.fixture
async def monitor(registry: RunningService) -> AsyncIterator[httpx.AsyncClient]:
    async with registry.client(MONITOR, subject="monitor@test") as client:
        yield client


@pytest.mark.parametrize("name", SERVICES)
async def test_every_service_tells_its_monitor_what_it_measured_and_nobody_else(
    serve: ServeService, name: str
) -> None:
    service: RunningService = await serve(name)
    token = development.mint_role(service.key_file, Role.MONITOR, seconds=60)
    async with httpx.AsyncClient(base_url=service.url) as http:
        answer = await http.get("/v1/metrics", headers={"Authorization": f"Bearer {token}"})
        unknown = await http.get("/v1/metrics")
    assert answer.status_code == 200
    assert unknown.status_code == 401
    async with service.client("events:read") as client:
        assert (await client.get("/metrics")).status_code == 403
    async with service.client(MONITOR) as client:
        seen = await watched(client)
    subjects = MEASURED[name]
    assert {of: seen.figure("measured", of=of) for of in subjects} == dict.fromkeys(subjects, 1)
    assert seen.count("measured") == len(subjects)


async def test_answers_are_counted_by_operation_whatever_is_asked_for(
    registry: RunningService, monitor: httpx.AsyncClient
) -> None:
    async with registry.client() as client:
        for _ in range(2):
            await client.get(f"/households/{new_id()}")
        await client.get("/schemes?no-such-parameter=1")
        for stranger in ("/wp-login.php", f"/{new_id()}"):
            await client.request("GET", stranger)
        await client.request("PROPFIND", "/schemes")
    async with registry.client(MONITOR) as client:
        await client.get("/schemes")
    seen = await watched(monitor)

    def answers(operation: str, status: int, method: str = "GET") -> float | None:
        return seen.figure("answers_total", method=method, operation=operation, status=str(status))

    assert answers("/v1/households/{household_id}", 404) == 2
    assert answers("/v1/schemes", 422) == 1
    assert answers("/v1/schemes", 403) == 1
    assert answers("none", 404, "none") == 2
    assert answers("none", 405, "none") == 1
    households = {"method": "GET", "operation": "/v1/households/{household_id}"}
    assert seen.figure("answer_seconds_count", **households) == 2
    assert 0 < (seen.figure("answer_seconds_sum", **households) or 0) < 60


async def test_events_that_wait_are_told_with_their_age_and_those_that_failed(
    registry: RunningService, monitor: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    waiting = [
        Event(
            type="org.sangkroh.activation-opened.v1",
            source="triggers",
            subject=str(new_id()),
            time=NOON - timedelta(seconds=ago),
            data={},
        )
        for ago in (120, 60)
    ]
    async with registry.app.state.database.transaction() as session:
        await append(session, waiting)
    await owner.execute(
        """
        INSERT INTO registry.event_cursor (consumer) VALUES ('activations');
        INSERT INTO registry.event_cursor (consumer, epoch) VALUES ('accounts', 1000);
        INSERT INTO registry.dead_letter (consumer, event_id, type, error)
        VALUES ('accounts', uuidv7(), 'org.sangkroh.activation-opened.v1', 'Broken.');
        """
    )
    seen = await watched(monitor)

    def told(consumer: str) -> list[float | None]:
        names = ("events_waiting", "events_oldest_waiting_seconds", "events_failed")
        return [seen.figure(name, consumer=consumer) for name in names]

    count, oldest_seconds, failed = told("activations")
    assert (count, failed) == (2, 0)
    assert 120 <= (oldest_seconds or 0) < 180
    assert told("accounts") == [0, 0, 1]


async def test_a_proposal_waits_until_it_is_decided_or_its_time_is_over(
    serve: ServeService, clock_file: Path
) -> None:
    service: RunningService = await serve("payments")
    async with service.client(MONITOR) as monitor:
        assert (await watched(monitor)).figure("approvals_waiting", kind="fund") is None
        await _propose_a_fund(service)
        set_clock(clock_file, NOON + timedelta(hours=1))
        seen = await watched(monitor)
        assert seen.figure("approvals_waiting", kind="fund") == 1
        age = seen.figure("approvals_oldest_waiting_seconds", kind="fund") or 0
        assert 3000 < age < 4000
        set_clock(clock_file, NOON + timedelta(days=1000))
        assert (await watched(monitor)).figure("approvals_waiting", kind="fund") is None


async def test_what_cannot_be_measured_is_said_to_be_so_and_the_rest_is_told(
    registry: RunningService, monitor: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    assert (await watched(monitor)).figure("chunks", status="planned") == 0
    await owner.execute("ALTER TABLE registry.entitlement_chunk RENAME TO elsewhere")
    seen = await watched(monitor)
    assert seen.figure("measured", of="chunks") == 0
    assert seen.figure("chunks", status="planned") is None
    assert seen.figure("measured", of="appeals") == 1
    assert seen.figure("appeals_open") == 0


async def test_what_takes_too_long_is_given_up_and_the_rest_is_told(
    serve: ServeService, monkeypatch: pytest.MonkeyPatch, owner: asyncpg.Connection
) -> None:
    monkeypatch.setenv("REGISTRY_METRICS_LONGEST_SECONDS", "0.2")
    service: RunningService = await serve("registry")
    async with service.client(MONITOR) as monitor, owner.transaction():
        await owner.execute("LOCK TABLE registry.entitlement_chunk IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(5):
            seen = await watched(monitor)
    assert seen.figure("measured", of="chunks") == 0
    assert seen.figure("measured", of="appeals") == 1


async def test_who_watches_is_answered_while_every_connection_is_in_use(
    serve: ServeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGERS_DATABASE_POOL_SIZE", "1")
    monkeypatch.setenv("TRIGGERS_DATABASE_POOL_WAIT_SECONDS", "0.1")
    # Nothing in the process asks the database by itself.
    service: RunningService = await serve("triggers")
    async with service.client(MONITOR) as client:
        async with service.app.state.database.engine.connect():
            seen = await watched(client)
            assert seen.figure("database_connections", which="in_use") == 1
            assert seen.figure("measured", of="events") == 0
        assert (await watched(client)).figure("measured", of="events") == 1


async def test_several_who_watch_are_told_the_same_for_a_while(
    serve: ServeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENTS_METRICS_KEPT_SECONDS", "60")
    service: RunningService = await serve("payments")
    async with service.client(MONITOR) as monitor:
        first = await asyncio.gather(*(watched(monitor) for _ in range(4)))
        await _propose_a_fund(service)
        last = await watched(monitor)
    assert {seen.figure("approvals_waiting", kind="fund") for seen in [*first, last]} == {None}
    metrics = {"method": "GET", "operation": "/v1/metrics", "status": "200"}
    assert last.figure("answers_total", **metrics) == 4


async def _propose_a_fund(service: RunningService) -> None:
    fund = {
        "code": "relief",
        "name": "Relief",
        "currency": "KHR",
        "maximum_payment_minor": 4_000_000,
        "maximum_round_minor": 100_000_000,
    }
    async with service.client() as officer:
        answer = await officer.post("/funds", json=fund, headers={"Idempotency-Key": "a" * 20})
    assert answer.status_code == 202, answer.text
