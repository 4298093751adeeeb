"""The dispatcher's HTTP client with no database behind it, in a process of its own.

    python -m benchmarks.clients.disburse FILE

FILE is JSON: ``providers`` (each with url, api_key, callback_url and orders, a list of
[id, body]), ``concurrency`` and ``timeout_seconds``. Sends each provider's orders as the payments
worker does, reads the answers, and prints the seconds.
"""

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from yarl import URL

_CONNECT_SECONDS = 5
_COLLECT_AFTER_ALLOCATIONS = 50_000


async def _send(
    session: aiohttp.ClientSession,
    provider: dict[str, Any],
    orders: Iterator[list[str]],
    statuses: Counter[int],
) -> None:
    for correlation_id, body in orders:
        async with session.post(
            URL(provider["url"], encoded=True),
            data=body.encode(),
            headers={
                "Content-Type": "application/json",
                "X-Date": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "X-CorrelationID": correlation_id,
                "X-Callback-URL": provider["callback_url"],
            },
            allow_redirects=False,
        ) as response:
            await response.read()
        statuses[response.status] += 1


async def _run(given: dict[str, Any]) -> dict[str, object]:
    concurrency = given["concurrency"]
    statuses: Counter[int] = Counter()
    sessions = []
    senders = []
    for provider in given["providers"]:
        orders = iter(provider["orders"])
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"X-API-Key": provider["api_key"]},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=given["timeout_seconds"], sock_connect=_CONNECT_SECONDS
            ),
        )
        sessions.append(session)
        senders += [_send(session, provider, orders, statuses) for _ in range(concurrency)]
    began = time.perf_counter()
    await asyncio.gather(*senders)
    seconds = time.perf_counter() - began
    for session in sessions:
        await session.close()
    return {"seconds": seconds, "statuses": dict(statuses)}


def main() -> None:
    # As the services' processes do: else the limit would be slower for a reason of its own.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_ALLOCATIONS)
    given = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(uvloop.run(_run(given))))


if __name__ == "__main__":
    main()
