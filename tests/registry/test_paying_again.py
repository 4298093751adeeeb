"""From an account that nobody can pay to, to a paid household: registry, payments and provider."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import RunningService, ServeService
from tests.payments.conftest import QUICK, StartSandbox, start_sandbox
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.server import eventually
from tests.two_persons import CHECKER, approved

__all__ = ["start_sandbox"]


async def post(service: RunningService, path: str, key: str, **body: object) -> Any:
    """Send it; where that needs two persons, what came of it once the second approved."""
    async with service.client() as client:
        answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code in (201, 202), answer.text
    if "proposed_by" in answer.json():
        return await approved(service.client(subject=CHECKER), answer.json())
    return answer.json()


async def test_an_account_that_cannot_be_paid_to_stops_nobody_else_and_is_paid_once_mended(
    working: Flow,
    serve: ServeService,
    run_worker: Callable[[str], Any],
    start_sandbox: StartSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    # Registered before payments told which providers there are.
    await working.register([*rows(5), *rows(1, begin=9, provider_code="nowhere")])
    household_id = await working.household_id("KH-020101-000009")
    sandbox = start_sandbox()
    service = await serve("payments")
    async with service.client() as payments, run_worker("payments"):
        await post(
            service,
            "/funds",
            "f",
            code="national-relief",
            name="Fund",
            currency="KHR",
            maximum_payment_minor=4_000_000,
            maximum_round_minor=10_000_000,
        )
        await post(
            service,
            "/funds/national-relief/deposits",
            "d",
            amount_minor=10_000_000,
            reference="Budget",
        )
        for provider in ("mekong", "tonle"):
            await post(
                service,
                f"/providers/{provider}/prefundings",
                provider,
                amount_minor=3_000_000,
                reference="First transfer",
            )
        activation_id = await working.open(BATTAMBANG)

        async def reaches(**wanted: int) -> dict[str, Any]:
            async def there() -> bool:
                answer = await working.client.get(f"/activations/{activation_id}")
                if answer.status_code != 200:
                    return False
                progress = answer.json()["progress"]
                return all(progress[f"{name}_count"] == value for name, value in wanted.items())

            await eventually(there)
            return dict((await working.get(f"/activations/{activation_id}"))["progress"])

        await reaches(paid=5, unpayable=1, waiting=0)
        (owed,) = (await working.get(f"/households/{household_id}/entitlements"))["items"]
        assert (owed["status"], owed["reason"]) == ("unpayable", "unknown-provider")
        assert len(sandbox.book()) == 5

        await working.change_account(household_id, provider="tonle", account="+85577777777")
        path = f"/activations/{activation_id}/repairs"
        await working.post(path, {"round": 1, "reason": "It has an account now."})
        await reaches(paid=6, unpayable=0, payable=6)
        explained = await working.get(f"/entitlements/{owed['id']}")
        assert [
            (told["number"], told["status"], told["provider_code"])
            for told in explained["announcements"]
        ] == [(1, "unpayable", "nowhere"), (2, "paid", "tonle")]
        page = (await payments.get("/instructions", params={"entitlement_id": owed["id"]})).json()
        (instruction,) = page["items"]
        assert (instruction["status"], instruction["announcement"]) == ("settled", 2)
        book = sandbox.book()
        assert len(book) == 6
        assert book[instruction["id"]]["account"] == "+85577777777"

        # Told again, word for word, nobody is paid twice and nothing waits for a person.
        for chunk in await working.chunks(activation_id):
            again = f"/entitlement-chunks/{chunk['id']}/reannouncement"
            await working.post(again, {"reason": "To be sure."})
        settled: list[dict[str, Any]] = []

        async def told_again() -> bool:
            settled[:] = await working.events("payments-settled")
            return len({event["chunk_id"] for event in settled}) == 2 and len(settled) >= 4

        await eventually(told_again)
        await reaches(paid=6, waiting=0)
        assert len(sandbox.book()) == 6
        for client in (working.client, payments):
            assert (await client.get("/dead-letters")).json()["items"] == []
        assert UUID(instruction["id"]).version == 8
