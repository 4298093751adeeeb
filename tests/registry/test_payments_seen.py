"""The registry's own view goes on while payments happen: registry, payments and provider."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ServeService
from tests.payments.conftest import QUICK, StartSandbox, start_sandbox
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.test_paying_again import post
from tests.server import eventually

__all__ = ["start_sandbox"]


async def test_what_is_paid_is_seen_before_its_chunk_has_its_end(
    working: Flow,
    serve: ServeService,
    run_worker: Callable[[str], Any],
    start_sandbox: StartSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Outcomes are not fetched of a chunk that is open: what is seen was counted.
    for name, value in {**QUICK, "PAYMENTS_PROGRESS_SECONDS": "3600"}.items():
        monkeypatch.setenv(name, value)
    tonle = rows(2, begin=9, provider_code="tonle")
    await working.register([*rows(4, provider_code="mekong"), *tonle])
    start_sandbox()
    service = await serve("payments")
    async with service.client() as payments, run_worker("payments"):
        fund = {"code": "national-relief", "name": "Fund", "currency": "KHR"}
        bounds = {"maximum_payment_minor": 4_000_000, "maximum_round_minor": 10_000_000}
        money = {"amount_minor": 3_000_000, "reference": "Budget"}
        await post(service, "/funds", "fund", **fund, **bounds)
        await post(service, "/funds/national-relief/deposits", "deposit", **money)
        part = {"amount_minor": 1_500_000, "reference": "First transfer"}
        await post(service, "/providers/mekong/prefundings", "mekong", **part)
        activation_id = await working.open(BATTAMBANG)

        async def shows(**wanted: int) -> None:
            async def there() -> bool:
                answer = await working.client.get(f"/activations/{activation_id}")
                if answer.status_code != 200:
                    return False
                progress = answer.json()["progress"]
                return all(progress[f"{name}_count"] == value for name, value in wanted.items())

            await eventually(there)

        # The float at the other provider covers nothing: those two stay open, and hide nobody.
        await shows(paid=4, waiting=2)
        [chunk] = await working.chunks(activation_id)
        assert chunk["status"] == "announced"
        counted = await working.events("payments-counted")
        assert 1 <= len(counted) <= 4
        assert (counted[-1]["paid_count"], counted[-1]["open_count"]) == (4, 2)
        await post(service, "/providers/tonle/prefundings", "tonle", **part)
        await shows(paid=6, waiting=0)
        told = (await payments.get(f"/activations/{activation_id}/progress")).json()
        assert [(each["status"], each["count"]) for each in told["totals"]] == [("settled", 6)]
        for client in (working.client, payments):
            assert (await client.get("/dead-letters")).json()["items"] == []
