"""Sent once and paid once, through a provider that misbehaves and a service that dies."""

import json
import os

import httpx
import pytest
from sqlalchemy import text

from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import Steps
from tests.server import eventually


async def all_ended(world: World) -> None:
    count = await world.owner.fetchval("SELECT count(*) FROM payments.instruction")
    ended = sum([await world.count(status) for status in ("settled", "rejected")])
    assert ended == count


async def test_every_payment_misbehaves_and_each_is_paid_once(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(misbehave=25)
    await world.fund(20_000_000)
    owed = entitlements(60)
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    await all_ended(world)
    book = sandbox.book()
    assert len(book) == 60
    assert {row["account"] for row in book.values()} == {
        entitlement.account for entitlement in owed
    }
    page = await world.get("/instructions", limit=500)
    assert {instruction["id"] for instruction in page["items"]} == set(book)
    await world.proofs()


async def test_accounts_that_cannot_be_paid_are_rejected_with_the_providers_reason(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(missing_account_share=0.5)
    await world.fund(20_000_000)
    async with world.working():
        announced = await world.registry.announce(entitlements(40))
        await world.until_chunk(announced, "settled")
    [settled] = await world.events("org.sangkroh.payments-settled.v1")
    assert settled["paid_count"] == len(sandbox.book())
    assert 0 < settled["failed_count"] < 40
    assert settled["paid_count"] + settled["failed_count"] == 40
    answer = await world.client.get(f"/chunks/{announced.chunk_id}/outcomes")
    rows = [line.split(",") for line in answer.text.splitlines()]
    failures = {row[2] for row in rows if row[1] == "failed"}
    assert failures == {"identifierError", "incorrectState"}
    summary = await world.get(f"/activations/{announced.activation_id}/payments")
    assert summary["first_paid_at"] <= summary["last_paid_at"]
    fund = await world.get("/funds/relief")
    assert fund["committed_minor"] == 0
    assert fund["spent_minor"] == settled["paid_minor"]
    await world.proofs()


async def test_a_sender_that_died_before_it_sent_is_made_good_with_the_same_id(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(4, provider="mekong"))
    await steps.raise_announced()
    orders = await steps.claim()
    await world.owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    async with world.working():
        await world.until_count("settled", 4)
    assert set(sandbox.book()) == {str(order.instruction_id) for order in orders}
    history = await world.get(f"/instructions/{orders[0].instruction_id}")
    steps_taken = [(move["to_status"], move["actor"]) for move in history["moves"]]
    assert steps_taken[:3] == [("sending", "test"), ("unknown", "lease"), ("sending", "inquiry")]
    await world.proofs()


async def test_a_sender_that_died_after_it_sent_finds_the_payment_made(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(synchronous=True)
    await world.fund(20_000_000)
    [entitlement] = entitlements(1)
    await world.registry.announce([entitlement])
    await steps.raise_announced()
    [order] = await steps.claim()
    provider = world.settings.providers[0]
    async with httpx.AsyncClient(base_url=provider.url) as client:
        answer = await client.post(
            "/transactions/type/disbursement",
            headers={
                "X-API-Key": world.settings.provider_api_keys[provider.code].get_secret_value(),
                "X-CorrelationID": str(order.instruction_id),
            },
            json={
                "amount": "96000",
                "currency": "KHR",
                "creditParty": [{"key": "msisdn", "value": entitlement.account}],
                "debitParty": [{"key": "organisationid", "value": "nspc"}],
                "requestingOrganisationTransactionReference": str(order.instruction_id),
            },
        )
    assert answer.status_code == 201
    async with world.working():
        await world.until_count("settled", 1)
    assert len(sandbox.book()) == 1
    history = await world.get(f"/instructions/{order.instruction_id}")
    assert [move["to_status"] for move in history["moves"]] == ["sending", "unknown", "settled"]


async def test_a_provider_that_is_down_is_waited_for(
    world: World, start_sandbox: StartSandbox
) -> None:
    await world.fund(20_000_000)
    async with world.working():
        announced = await world.registry.announce(entitlements(20))
        await world.until_count("ready", 0)
        sandbox = start_sandbox()
        await world.until_chunk(announced, "settled")
    assert len(sandbox.book()) == 20
    await all_ended(world)
    await world.proofs()


async def test_two_workers_share_the_work_and_pay_once(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(misbehave=5)
    await world.fund(50_000_000)
    async with world.working(), world.working():
        announced = [await world.registry.announce(entitlements(100)) for _ in range(3)]
        for chunk in announced:
            await world.until_chunk(chunk, "settled")
    assert len(sandbox.book()) == 300
    numbers = await world.proofs()
    [twice] = numbers["no_entitlement_twice"]
    assert twice["entitlements"] == 300


async def test_an_account_that_does_not_open_is_held_and_never_sent(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(20_000_000)
    owed = entitlements(2, provider="mekong")
    # Two accounts, each sealed for the other household: neither opens for the other.
    content = world.registry.content_of(
        owed, sealed_for=[owed[1].household_id, owed[0].household_id]
    )
    async with world.working():
        announced = await world.registry.announce_chunk(owed, content=content)
        await world.registry.complete(announced, owed)
        await world.until_count("held", 2)
    assert sandbox.book() == {}
    kinds = {alarm["kind"] for alarm in (await world.get("/alarms"))["items"]}
    assert kinds == {"account_unreadable"}
    await world.proofs()


_SENT_MINOR = (
    "SELECT coalesce(sum(amount_minor), 0)::bigint FROM payments.transfer WHERE code = 'sent'"
)


async def test_what_is_claimed_was_committed_before_it_is_sent(world: World, steps: Steps) -> None:
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    async with steps.wiring.database.transaction() as session:
        waiting = await session.scalar(text(_SENT_MINOR))
    orders = await steps.claim()
    posted = await world.owner.fetchval(_SENT_MINOR)
    assert len(orders) == 2
    assert posted - waiting == sum(order.money.amount_minor for order in orders)
    assert await world.count("sending") == 2


async def test_a_missing_key_is_waited_for_and_no_payment_is_lost(
    world: World, start_sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = start_sandbox()
    await world.fund(20_000_000)
    keys = os.environ["ACCOUNT_KEYS"]
    monkeypatch.setenv("ACCOUNT_KEYS", json.dumps({"9": json.loads(keys)["1"]}))
    async with world.working():
        announced = await world.registry.announce(entitlements(4, provider="mekong"))

        async def nothing_left() -> bool:
            given_back = await world.owner.fetchval(
                "SELECT count(DISTINCT instruction_id) FROM payments.instruction_move "
                "WHERE to_status = 'ready' AND reason = 'account_key_missing'"
            )
            return bool(given_back == 4)

        await eventually(nothing_left)
        assert sandbox.book() == {}
    await world.until_count("ready", 4)
    assert (await world.get("/providers"))["items"][0]["in_transit_minor"] == 0
    await world.proofs()
    monkeypatch.setenv("ACCOUNT_KEYS", keys)
    async with world.working():
        await world.until_chunk(announced, "settled")
    assert len(sandbox.book()) == 4
    await world.proofs()
