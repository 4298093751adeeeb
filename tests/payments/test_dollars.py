"""The US dollar beside the riel: funds, floats, payments and books of both, no sum of the two."""

import asyncio
import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.payments.announcing import FUND, Entitlement
from tests.payments.conftest import StartSandbox, World
from tests.payments.steps import REJECTED, Steps, paid

DOLLARS = "dollars"
FUNDS = {"KHR": FUND, "USD": DOLLARS}
PROVIDERS = {"KHR": "mekong", "USD": "tonle"}


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The second provider pays in dollars."""
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    changed = json.dumps(
        [
            {**provider, "currency": "USD" if provider["code"] == "tonle" else "KHR"}
            for provider in providers
        ]
    )
    monkeypatch.setenv("PAYMENTS_PROVIDERS", changed)
    return {**environment, "PAYMENTS_PROVIDERS": changed}


async def open_funds(world: World, *, deposit_minor: int, prefund_minor: int) -> None:
    for currency, code in FUNDS.items():
        await world.open_fund(code=code, currency=currency)
        money = {"amount_minor": deposit_minor, "reference": "test"}
        await world.post(f"/funds/{code}/deposits", money)
        money = {"amount_minor": prefund_minor, "reference": "test"}
        await world.post(f"/providers/{PROVIDERS[currency]}/prefundings", money)


def owed(currency: str, *amounts: int) -> list[Entitlement]:
    return [
        Entitlement(
            account=f"+85512{number:07d}",
            amount_minor=amount_minor,
            provider=PROVIDERS[currency],
            currency=currency,
        )
        for number, amount_minor in enumerate(amounts)
    ]


async def announce(world: World, currency: str, *amounts: int) -> Any:
    return await world.registry.announce(
        owed(currency, *amounts), fund=FUNDS[currency], currency=currency
    )


async def test_dollars_and_riel_are_paid_side_by_side_by_the_real_sandbox(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await open_funds(world, deposit_minor=1_000_000, prefund_minor=900_000)
    async with world.working():
        riel = await announce(world, "KHR", 96_000, 80_000)
        dollars = await announce(world, "USD", 2_450, 2_400, 1, 199_999)
        for announced in (riel, dollars):
            await world.until_chunk(announced, "settled")
    by_currency: defaultdict[str, list[Decimal]] = defaultdict(list)
    for row in sandbox.book().values():
        by_currency[row["currency"]].append(Decimal(row["amount"]))
    assert sorted(by_currency["KHR"]) == [80_000, 96_000]
    assert sorted(by_currency["USD"]) == [
        Decimal("0.01"),
        Decimal("24"),
        Decimal("24.5"),
        Decimal("1999.99"),
    ]
    assert (await world.get(f"/funds/{FUND}"))["spent_minor"] == 176_000
    assert (await world.get(f"/funds/{DOLLARS}"))["spent_minor"] == 204_850
    assert (await world.get("/providers/tonle"))["float_minor"] == 900_000 - 204_850
    trial = await world.get("/trial-balance")
    assert trial["balanced"]
    assert {total["currency"] for total in trial["totals"]} == {"KHR", "USD"}
    await world.proofs()


async def test_a_fund_of_the_one_pays_nothing_in_the_other(world: World, steps: Steps) -> None:
    await open_funds(world, deposit_minor=1_000_000, prefund_minor=900_000)
    await world.registry.announce(owed("USD", 2_450), fund=FUND, currency="USD")
    mixed = await world.registry.announce(
        [*owed("USD", 2_450), *owed("KHR", 96_000)], fund=DOLLARS, currency="USD"
    )
    await steps.raise_announced()
    [unfunded, _] = (await world.get("/rounds"))["items"]
    assert unfunded["status"] == "unfunded"
    assert "Fund relief is in KHR, the round in USD" in unfunded["reason"]
    # Riel among dollars are set aside; what is in dollars is paid.
    set_aside = await world.get(f"/chunks/{mixed.chunk_id}/set-aside")
    assert [each["amount_minor"] for each in set_aside["items"]] == [96_000]
    await steps.pay_all()
    await world.proofs()


async def test_a_treasury_in_riel_prefunds_nobody_in_dollars(world: World) -> None:
    await world.open_fund()
    await world.post(f"/funds/{FUND}/deposits", {"amount_minor": 10**9, "reference": "test"})
    proposal = await world.propose(
        "/providers/tonle/prefundings", {"amount_minor": 100, "reference": "test"}
    )
    assert proposal["what"] == "Record 1.00 USD as paid from the treasury to tonle: test"
    problem = await world.approve(proposal["id"], status=409)
    assert "treasury account in USD holds less" in problem["detail"]


async def test_a_currency_that_is_not_in_use_is_refused(world: World) -> None:
    bounds = {"maximum_payment_minor": 1, "maximum_round_minor": 1}
    body = {"code": "euros", "name": "Euros", "currency": "EUR", **bounds}
    await world.post("/funds", body, status=422)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "prefunding", "round", "pay", "reject", "less", "back"]),
        st.sampled_from(["KHR", "USD"]),
        st.integers(1, 5_000),
    ),
    min_size=2,
    max_size=10,
)


async def test_whatever_happens_in_one_currency_the_other_does_not_move(
    world: World, steps: Steps
) -> None:
    await open_funds(world, deposit_minor=10_000_000, prefund_minor=1_000_000)
    loop = asyncio.get_running_loop()
    happened: Counter[tuple[str, str]] = Counter()

    async def balances() -> dict[str, dict[tuple[str, str], int]]:
        trial = await world.get("/trial-balance")
        assert trial["balanced"]
        found: dict[str, dict[tuple[str, str], int]] = {"KHR": {}, "USD": {}}
        for line in trial["lines"]:
            key = line["account"], line["scope"]
            found[line["currency"]][key] = line["debit_minor"] - line["credit_minor"]
        return found

    async def act(what: str, currency: str, minor: int) -> None:
        provider, fund = PROVIDERS[currency], FUNDS[currency]
        money = {"amount_minor": minor, "reference": "test"}
        match what:
            case "deposit":
                await world.post(f"/funds/{fund}/deposits", money)
            case "prefunding":
                await world.post(f"/providers/{provider}/prefundings", money)
            case "round":
                await announce(world, currency, minor, minor + 1)
                await steps.raise_announced()
            case "pay" | "reject" | "less":
                orders = await steps.claim(provider)
                assert {order.money.currency for order in orders} <= {currency}
                for order in orders:
                    answer = REJECTED
                    if what != "reject":
                        answer = paid(
                            order.instruction_id,
                            amount_minor=order.money.amount_minor - (what == "less"),
                            currency=currency,
                        )
                    await steps.hear([(order.instruction_id, answer)], provider=provider)
            case "back":
                page = await world.get(f"/funds/{fund}/deposits")
                standing = [each for each in page["items"] if each["reversal_id"] is None]
                if len(standing) > 1:
                    body = {"approval_id": standing[-1]["id"], "reason": "A slip."}
                    await world.post("/reversals", body)

    async def play(moves: list[tuple[str, str, int]]) -> None:
        for what, currency, minor in moves:
            before = await balances()
            await act(what, currency, minor)
            after = await balances()
            other = "USD" if currency == "KHR" else "KHR"
            assert after[other] == before[other]
            if after[currency] != before[currency]:
                happened[what, currency] += 1
            mixed = await world.owner.fetchval(
                "SELECT count(*) FROM payments.transfer "
                "JOIN payments.account ON account.id IN (debit_account, credit_account) "
                "WHERE account.currency <> transfer.currency"
            )
            assert mixed == 0
        await world.proofs()

    @given(MOVES)
    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(moves: list[tuple[str, str, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(moves), loop).result()

    await asyncio.to_thread(run)
    assert {currency for _, currency in happened} == {"KHR", "USD"}
    assert {what for what, _ in happened} >= {"deposit", "round"}
