"""What the books said at a past moment, they say of it for ever."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import set_clock
from tests.conftest import NOON
from tests.payments.announcing import FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps


def set_time(world: World, at: datetime) -> None:
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, at)


MOVES = st.lists(
    st.sampled_from(["deposit", "round", "send", "pay", "nothing"]), min_size=1, max_size=8
)


async def test_balances_at_a_past_moment_are_what_they_were(world: World, steps: Steps) -> None:
    set_time(world, NOON)
    await world.fund(300_000, prefund_minor=100_000)
    loop = asyncio.get_running_loop()
    days = 0
    seen: dict[str, tuple[Any, Any]] = {}

    async def play(moves: list[str]) -> None:
        nonlocal days
        for move in moves:
            days += 1
            set_time(world, NOON + timedelta(days=days))
            match move:
                case "deposit":
                    await world.fund(200_000, prefund_minor=100_000)
                case "round":
                    await world.registry.announce(entitlements(2))
                    await steps.raise_announced()
                case "send":
                    await steps.claim()
                case "pay":
                    await steps.pay_all()
            at = (NOON + timedelta(days=days, hours=12)).isoformat()
            trial = await world.get("/trial-balance")
            assert trial["balanced"]
            seen[at] = (await world.get(f"/funds/{FUND}"), trial)
        set_time(world, NOON + timedelta(days=days + 1))
        for at, (fund, trial) in seen.items():
            assert await world.get(f"/funds/{FUND}", at=at) == fund
            then = await world.get("/trial-balance", at=at)
            assert (then["lines"], then["totals"]) == (trial["lines"], trial["totals"])
        await world.proofs()

    @given(MOVES)
    @settings(
        max_examples=6,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(moves: list[str]) -> None:
        asyncio.run_coroutine_threadsafe(play(moves), loop).result()

    await asyncio.to_thread(run)
    assert len({str(fund) for fund, _ in seen.values()}) > 3


async def test_a_trial_balance_has_every_account_in_its_column(world: World) -> None:
    set_time(world, NOON)
    await world.fund(1_000, prefund_minor=400)
    trial = await world.get("/trial-balance")
    lines = {(line["account"], line["scope"]): line for line in trial["lines"]}
    columns = {
        key: (line["debit_minor"], line["credit_minor"])
        for key, line in lines.items()
        if line["debit_minor"] or line["credit_minor"]
    }
    assert columns == {
        ("TREASURY_CASH", "KHR"): (200, 0),
        ("FUNDS_RECEIVED", FUND): (0, 1_000),
        ("PROVIDER_FLOAT", "mekong"): (400, 0),
        ("PROVIDER_FLOAT", "tonle"): (400, 0),
        ("BUDGET_AUTHORISED", FUND): (0, 1_000),
        ("BUDGET_AVAILABLE", FUND): (1_000, 0),
    }
    accounts = await world.owner.fetchval("SELECT count(*) FROM payments.account")
    assert len(trial["lines"]) == accounts
    assert trial["totals"] == [
        {"book": "budget", "currency": "KHR", "debit_minor": 1_000, "credit_minor": 1_000},
        {"book": "cash", "currency": "KHR", "debit_minor": 1_000, "credit_minor": 1_000},
    ]


@pytest.mark.parametrize("path", ["/trial-balance", f"/funds/{FUND}"])
async def test_a_moment_to_come_and_one_without_an_offset_are_refused(
    world: World, path: str
) -> None:
    await world.open_fund()
    for at, words in (("2999-01-01T00:00:00Z", "is to come"), ("2020-01-01T00:00:00", "offset")):
        answer = await world.client.get(path, params={"at": at})
        assert answer.status_code == 422
        assert words in answer.text


async def test_there_is_no_fund_before_it_was_opened(world: World) -> None:
    set_time(world, NOON)
    await world.open_fund()
    before = (NOON - timedelta(hours=1)).isoformat()
    answer = await world.client.get(f"/funds/{FUND}", params={"at": before})
    assert answer.status_code == 404
    assert "was opened later" in answer.json()["detail"]
    trial = await world.get("/trial-balance", at=before)
    assert {(line["debit_minor"], line["credit_minor"]) for line in trial["lines"]} == {(0, 0)}
