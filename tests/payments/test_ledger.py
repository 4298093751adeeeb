"""The ledger refuses what would be wrong, whoever asks."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.payments.announcing import CURRENCY, FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps

MONEY = {"amount_minor": 1_000, "reference": "test"}


@pytest.fixture
async def role(world: World) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the service's own role."""
    url = make_url(world.settings.database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    yield connection
    await connection.close()


async def account(owner: asyncpg.Connection, code: str, scope: str) -> int:
    found = await owner.fetchval(
        "SELECT id FROM payments.account WHERE code::text = $1 AND scope = $2", code, scope
    )
    return int(found)


POST = (
    "INSERT INTO payments.transfer (debit_account, credit_account, amount_minor, currency, code, "
    "posted_at) VALUES ($1, $2, $3, $4, 'fund_received', now())"
)


REWRITES = (
    "UPDATE payments.transfer SET amount_minor = 1",
    "DELETE FROM payments.transfer",
    "TRUNCATE payments.transfer",
    "UPDATE payments.account SET debits_minor = 1",
    "INSERT INTO payments.account (code, debits_minor) VALUES ('SUSPENSE', 1)",
    "DELETE FROM payments.account",
    "UPDATE payments.instruction SET amount_minor = 1",
    "UPDATE payments.instruction_move SET reason = 'nothing'",
    "DELETE FROM payments.instruction",
    "UPDATE payments.webhook SET received_at = now()",
)


async def test_the_services_role_cannot_rewrite_history(role: asyncpg.Connection) -> None:
    for statement in REWRITES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute(statement)


async def test_an_overdraft_is_refused_by_the_database(
    world: World, role: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await world.fund(1_000, prefund_minor=0)
    available = await account(owner, "BUDGET_AVAILABLE", FUND)
    committed = await account(owner, "COMMITTED", FUND)
    with pytest.raises(asyncpg.CheckViolationError, match="account_overdraft_refused_check"):
        await role.execute(POST, committed, available, 1_001, CURRENCY)
    await role.execute(POST, committed, available, 1_000, CURRENCY)


async def test_two_books_and_two_currencies_do_not_mix(
    world: World, role: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await world.fund(1_000, prefund_minor=0)
    treasury = await account(owner, "TREASURY_CASH", CURRENCY)
    received = await account(owner, "FUNDS_RECEIVED", FUND)
    available = await account(owner, "BUDGET_AVAILABLE", FUND)
    for debit, credit, currency in [
        (treasury, available, CURRENCY),
        (treasury, received, "USD"),
        (treasury, 999, CURRENCY),
    ]:
        with pytest.raises(asyncpg.CheckViolationError, match="is refused"):
            await role.execute(POST, debit, credit, 1, currency)
    with pytest.raises(asyncpg.CheckViolationError, match="transfer_accounts_differ_check"):
        await role.execute(POST, treasury, treasury, 1, CURRENCY)
    with pytest.raises(asyncpg.CheckViolationError, match="transfer_amount_is_positive_check"):
        await role.execute(POST, treasury, received, 0, CURRENCY)
    await world.proofs()


async def test_prefunding_more_than_the_treasury_holds_is_a_conflict(world: World) -> None:
    first = await world.propose("/providers/mekong/prefundings", MONEY)
    problem = await world.approve(first["id"], status=409)
    assert "treasury account in KHR holds less" in problem["detail"]
    await world.fund(1_000, prefund_minor=0)
    await world.approve(first["id"])
    second = await world.propose("/providers/tonle/prefundings", MONEY)
    await world.approve(second["id"], status=409)
    [mekong, tonle] = (await world.get("/providers"))["items"]
    assert (mekong["float_minor"], tonle["float_minor"]) == (1_000, 0)
    await world.proofs()


async def test_a_deposit_that_is_sent_twice_is_recorded_once(world: World) -> None:
    await world.fund(1_000, prefund_minor=0)
    answers = [
        await world.client.post(
            f"/funds/{FUND}/deposits", json=MONEY, headers={"Idempotency-Key": "one"}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    [proposed] = {answer.json()["id"] for answer in answers}
    assert (await world.get(f"/funds/{FUND}"))["authorised_minor"] == 1_000
    await world.approve(proposed)
    fund = await world.get(f"/funds/{FUND}")
    assert fund["authorised_minor"] == fund["available_minor"] == 2_000
    assert [fund["code"] for fund in (await world.get("/funds"))["items"]] == [FUND]


async def test_a_fund_is_opened_once(world: World) -> None:
    await world.fund(1_000, prefund_minor=0)
    bounds = {"maximum_payment_minor": 1, "maximum_round_minor": 1}
    body = {"code": FUND, "name": "Another", "currency": "USD", **bounds}
    problem = await world.post("/funds", body, status=409)
    assert "There is a fund relief already" in problem["detail"]
    missing = await world.post("/funds/nowhere/deposits", MONEY, status=404)
    assert "no fund nowhere" in missing["detail"]


async def test_a_provider_is_sent_no_more_than_its_float_covers(world: World, steps: Steps) -> None:
    await world.fund(10_000_000, prefund_minor=200_000)
    await world.registry.announce(entitlements(10, provider="mekong"))
    await steps.raise_announced()
    assert len(await steps.claim()) == 2
    assert await steps.claim() == []
    mekong = (await world.get("/providers"))["items"][0]
    assert (mekong["float_minor"], mekong["in_transit_minor"]) == (8_000, 192_000)
    assert (mekong["waiting_count"], mekong["waiting_minor"]) == (8, 768_000)
    await world.post("/providers/mekong/prefundings", {"amount_minor": 760_000, "reference": "x"})
    assert len(await steps.claim()) == 8
    await world.proofs()
