"""Registry, payments and a provider together: whose account it is is found out across the wall."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sandbox.accounts import holder
from shared.contracts.entitlements import COLUMNS
from tests.conftest import ServeService
from tests.payments.checked_accounts import CHECKED
from tests.payments.conftest import StartSandbox, providers_with, start_sandbox
from tests.registry.flow import BATTAMBANG, Flow, Row, rows
from tests.server import eventually
from tests.two_persons import CHECKER, approved

__all__ = ["start_sandbox"]


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    changed = {
        **environment,
        "PAYMENTS_REST_SECONDS": "0.02",
        "PAYMENTS_PROVIDERS": providers_with(environment, **CHECKED),
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return changed


def named(row: Row, spelling: str) -> Row:
    """The household's head is called as who holds its account."""
    return replace(row, head_name=holder(row.account)[spelling])


async def test_whom_the_account_belongs_to_decides_whether_it_is_paid(
    working: Flow,
    serve: ServeService,
    run_worker: Callable[[str], Any],
    start_sandbox: StartSandbox,
) -> None:
    sandbox = start_sandbox()
    payments = await serve("payments")
    first, second, third = rows(3)
    stranger = replace(third, head_name="Zzyx Qwrt")
    await working.register([named(first, "nativeName"), named(second, "fullName"), stranger])
    async with payments.client() as client:

        async def agreed(path: str, body: dict[str, Any]) -> None:
            answer = await client.post(path, json=body, headers=working.key())
            assert answer.status_code == 202, answer.text
            await approved(payments.client(subject=CHECKER), answer.json())

        await agreed(
            "/funds",
            {
                "code": "national-relief",
                "name": "National relief",
                "currency": "KHR",
                "maximum_payment_minor": 4_000_000,
                "maximum_round_minor": 100_000_000,
            },
        )
        money = {"amount_minor": 10_000_000, "reference": "test"}
        await agreed("/funds/national-relief/deposits", money)
        await agreed("/providers/mekong/prefundings", {**money, "amount_minor": 5_000_000})
        async with run_worker("payments"):
            await working.open(BATTAMBANG)

            async def all_known() -> bool:
                holds = (await client.get("/holds", params={"rule": "account_name"})).json()
                return len(holds["items"]) == 1 and len(sandbox.book()) == 2

            await eventually(all_known)
    book = sandbox.book()
    assert {row["account"] for row in book.values()} == {first.account, second.account}
    household = await working.household_id(stranger.registration_number)
    held = await working.owner.fetchrow(
        "SELECT outcome::text, verdict FROM payments.account_check WHERE household_id = $1",
        household,
    )
    assert held is not None
    assert tuple(held) == ("doubted", "unlike")
    # Whose name was compared is in the registry's audit record, by whom and what for.
    record = (await working.get("/audit", object=f"households/{household}"))["items"][-1]
    assert record["operation"] == "POST /v1/checks/account-holders"
    assert record["reason"] == "Check of account holders before the first payment"


async def test_the_fingerprint_of_a_household_changes_with_what_is_known_of_it(
    working: Flow,
) -> None:
    changing, staying = rows(2)
    await working.register([changing, staying])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    (chunk,) = await working.chunks(activation_id)

    async def fetched(**parameters: str) -> dict[str, list[str]]:
        path = f"/entitlement-chunks/{chunk['id']}/entitlements"
        answer = await working.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        found = list(csv.reader(io.StringIO(answer.text)))
        assert {len(row) for row in found} == {len(COLUMNS)}
        return {row[1]: row for row in found}

    unasked = await fetched()
    assert {row[-1] for row in unasked.values()} == {"\\x"}
    before = await fetched(households="true")
    await working.register([replace(changing, head_name="Sok Chantha"), staying])
    after = await fetched(households="true")
    changed = await working.household_id(changing.registration_number)
    for household_id, row in before.items():
        assert row[:-1] == after[household_id][:-1] == unasked[household_id][:-1]
        assert len(row[-1]) == len("\\x") + 16
        assert (row[-1] == after[household_id][-1]) is (household_id != changed)
