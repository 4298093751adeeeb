"""Slow readers of chunks and stalled senders of imports: cut off, and a burden to nobody else."""

from contextlib import AsyncExitStack

import httpx
import pytest

from services.registry.chunks import repository
from shared.version import API_PREFIX
from tests.plain import Plain, plain
from tests.registry.flow import CSV, Flow, body_of, rows
from tests.registry.paying import Announced
from tests.server import eventually

_SHORT = {
    "REGISTRY_DATABASE_POOL_SIZE": "2",
    "REGISTRY_GRACE_SECONDS": "1.5",
    "REGISTRY_MINIMUM_BYTES_PER_SECOND": "100000000",
    "REGISTRY_STREAMS_AT_ONCE": "3",
    "REGISTRY_STREAMS_PER_CALLER": "2",
    "REGISTRY_IMPORTS_AT_ONCE": "2",
    "REGISTRY_IMPORTS_PER_CALLER": "1",
    "REGISTRY_PLACE_WAIT_SECONDS": "0.05",
}
# A gigabyte: more than lies in the buffers between a database and whoever does not read.
_LARGE_CHUNK = """
    SELECT repeat('x', 1000) FROM generate_series(1, 1000000)
    WHERE $1::uuid IS NOT NULL AND $2::text IS NOT NULL
"""
_STREAMING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'registry-api-streams' AND state = 'active'
"""
_LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7201"


@pytest.fixture(autouse=True)
def _short(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _SHORT.items():
        monkeypatch.setenv(name, value)


async def request(
    connection: Plain, flow: Flow, method: str, path: str, *lines: str, subject: str
) -> None:
    token = flow.service.token(subject=subject)
    said = (
        f"{method} {API_PREFIX}{path} HTTP/1.1",
        "Host: registry",
        f"Authorization: Bearer {token}",
        *lines,
    )
    await connection.send("\r\n".join((*said, "", "")).encode())


async def assert_others_are_served(flow: Flow) -> None:
    ready = await flow.client.get(flow.service.url + "/ready")
    assert (ready.status_code, (await flow.client.get("/areas")).status_code) == (200, 200)


async def test_slow_readers_are_few_and_are_let_go(
    announced: Announced, working: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/entitlement-chunks/{announced.chunk_id}/entitlements"
    flow = working
    with monkeypatch.context() as patched:
        patched.setattr(repository, "COPY", _LARGE_CHUNK)
        async with AsyncExitStack() as stack:
            statuses = []
            for subject in ("a", "a", "a", "b", "b"):
                connection = await stack.enter_async_context(plain(flow.service.url))
                await request(connection, flow, "GET", path, subject=subject)
                head = await connection.reader.readuntil(b"\r\n\r\n")
                statuses.append(int(head.split()[1]))
            assert await flow.owner.fetchval(_STREAMING) == 3
            await assert_others_are_served(flow)

            async def are_let_go() -> bool:
                return not await flow.owner.fetchval(_STREAMING)

            await eventually(are_let_go)
    assert statuses == [200, 200, 503, 200, 503]
    assert len((await flow.client.get(path)).text.splitlines()) == 3


async def test_a_stalled_import_is_ended_and_holds_no_other_up(flow: Flow) -> None:
    body = body_of(rows(3))
    paths = [f"/imports/{(await flow.post('/imports', {'source': 's'}))['id']}" for _ in range(2)]
    async with plain(flow.service.url) as stalled:
        lines = ("Content-Type: text/csv", "Content-Length: 100000")
        await request(stalled, flow, "PUT", f"{paths[0]}/rows", *lines, subject="a")
        await stalled.send(body[:100].encode())

        async def receiving() -> bool:
            return bool(await flow.owner.fetchval(_LOCKS))

        await eventually(receiving)
        async with flow.service.client(subject="a") as client:
            another = await client.put(f"{paths[1]}/rows", content=body, headers=CSV)
        await assert_others_are_served(flow)
        by_another = await flow.send(paths[1].rpartition("/")[2], body)
        answered = await stalled.answer()
        locks = await flow.owner.fetchval(_LOCKS)
        shown = await flow.get(paths[0])

    assert another.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert another.headers["retry-after"]
    assert by_another["status"] == "completed"
    assert answered.status == 408
    assert shown["status"] == "interrupted"
    assert locks == 0
    again = await flow.send(paths[0].rpartition("/")[2], body)
    assert again["households_unchanged"] == 3
