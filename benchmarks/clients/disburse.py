"""The dispatcher's HTTP client with no database behind it, in a process of its own.

    python -m benchmarks.clients.disburse FILE

FILE is JSON: ``providers`` (each with url, api_key, callback_url and orders, a list of
[id, body]), ``concurrency`` and ``timeout_seconds``. Sends each provider's orders as the payments
worker does, over a client for each connection, reads the answers, and prints the seconds.
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

import httpx
import uvloop

_CONNECT_SECONDS = 5
_COLLECT_AFTER_ALLOCATIONS = 50_000


async def _send(
    client: httpx.AsyncClient,
    provider: dict[str, Any],
    orders: Iterator[list[str]],
    statuses: Counter[int],
) -> None:
    url = httpx.URL(provider["url"])
    for correlation_id, body in orders:
        response = await client.post(
            url,
            content=body.encode(),
            headers={
                "Content-Type": "application/json",
                "X-Date": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "X-CorrelationID": correlation_id,
                "X-Callback-URL": provider["callback_url"],
            },
        )
        statuses[response.status_code] += 1


async def _run(given: dict[str, Any]) -> dict[str, object]:
    concurrency = given["concurrency"]
    statuses: Counter[int] = Counter()
    certificates = httpx.create_ssl_context(trust_env=False)
    clients = []
    senders = []
    for provider in given["providers"]:
        orders = iter(provider["orders"])
        for _ in range(concurrency):
            client = httpx.AsyncClient(
                headers={"X-API-Key": provider["api_key"]},
                timeout=httpx.Timeout(given["timeout_seconds"], connect=_CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                verify=certificates,
                trust_env=False,
            )
            clients.append(client)
            senders.append(_send(client, provider, orders, statuses))
    began = time.perf_counter()
    await asyncio.gather(*senders)
    seconds = time.perf_counter() - began
    for client in clients:
        await client.aclose()
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
