"""Before an account is paid for the first time its provider is asked: whether, and whose it is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.responses import Response

from sandbox.misbehaviour import AccountState
from tests.payments.announcing import Entitlement
from tests.payments.checked_accounts import CHECKED, called_rightly, checked, checks, raised
from tests.payments.conftest import (
    Sandbox,
    StartSandbox,
    World,
    entitlements,
    providers_with,
)
from tests.payments.steps import REJECTED, Steps
from tests.server import eventually


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    providers = providers_with(environment, **CHECKED)
    monkeypatch.setenv("PAYMENTS_PROVIDERS", providers)
    return {**environment, "PAYMENTS_PROVIDERS": providers}


def states(sandbox: Sandbox, owed: Sequence[Entitlement]) -> list[AccountState]:
    temperament = sandbox.options.temperament
    return [temperament.account(entitlement.account).state for entitlement in owed]


async def test_accounts_that_are_open_and_rightly_called_are_paid(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    owed = entitlements(30)
    called_rightly(world, owed)
    await world.fund(20_000_000)
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    assert len(sandbox.book()) == 30
    found = await checks(world)
    assert {check["outcome"] for check in found} == {"passed"}
    assert {check["verdict"] for check in found} == {"alike"}
    # Read page by page: each once, with neither account nor name.
    listed: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await world.get("/account-checks", provider="mekong", limit=4, **cursor)
        listed += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert [check["household_id"] for check in listed] == [
        str(household_id)
        for household_id in sorted(
            entitlement.household_id for entitlement in owed if entitlement.provider == "mekong"
        )
    ]
    assert {(check["outcome"], check["likeness"] >= 85) for check in listed} == {("passed", True)}
    await world.proofs()


async def test_nothing_is_sent_before_the_account_was_checked(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    owed = entitlements(4, provider="mekong")
    called_rightly(world, owed)
    await world.fund(20_000_000)
    await raised(world, steps, owed)
    assert await steps.claim() == []
    await checked(steps)
    assert len(await steps.claim()) == 4


async def test_another_holder_is_held_with_the_likeness_and_the_others_go_on(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    right, wrong, nameless = owed = entitlements(3, provider="mekong")
    called_rightly(world, [right])
    world.registry.names[wrong.household_id] = "Zzyx Qwrt"
    await world.fund(20_000_000)
    await raised(world, steps, owed)
    await checked(steps)
    assert [order.household_id for order in await steps.claim()] == [right.household_id]
    holds = (await world.get("/holds", rule="account_name"))["items"]
    assert {hold["instruction_id"] for hold in holds} == {
        (await world.instruction_of(entitlement.entitlement_id))["id"]
        for entitlement in (wrong, nameless)
    }
    likenesses = {check["household_id"]: check["likeness"] for check in await checks(world)}
    assert likenesses[nameless.household_id] == 0
    assert (
        f"by {likenesses[wrong.household_id]} of 100; 85 are the least." in holds[0]["reason"]
        or f"by {likenesses[wrong.household_id]} of 100; 85 are the least." in holds[1]["reason"]
    )
    unresolved = await world.get("/unresolved/held_by_rule")
    assert {item["reason"] for item in unresolved["items"]} == {"account_name"}


async def test_what_two_persons_let_go_is_not_held_again_until_a_name_changes(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    (first,) = entitlements(1, provider="mekong")
    world.registry.names[first.household_id] = "Zzyx Qwrt"
    await world.fund(20_000_000)
    await raised(world, steps, [first])
    await checked(steps)
    assert await steps.claim() == []
    body = {
        "decision": "release",
        "reason": "The daughter of the household collects it.",
        "chosen": {"rule": "account_name"},
    }
    proposal = await world.propose("/holds/decisions", body)
    await world.approve(proposal["id"])
    while await steps.step("resolve"):
        pass
    assert len(await steps.pay_all()) == 1
    asked = len(world.registry.compared)

    def again(**changes: Any) -> Entitlement:
        fresh = Entitlement(account=first.account, household_id=first.household_id)
        return replace(fresh, **changes)

    # The next payment of the same household to the same account: nothing is asked.
    await raised(world, steps, [again()])
    assert len(await steps.pay_all()) == 1
    # The registry knows something else of the household, but it is called as it was.
    await raised(world, steps, [again(household="one more child")])
    assert await steps.claim() == []
    await checked(steps)
    assert len(world.registry.compared) == asked + 1
    assert len(await steps.pay_all()) == 1
    # It is called otherwise: that is another question, for persons.
    world.registry.names[first.household_id] = "Wrtq Xyzz"
    await raised(world, steps, [again(household="another head")])
    await checked(steps)
    assert await steps.claim() == []
    assert len((await world.get("/holds", rule="account_name"))["items"]) == 1
    # So is another account of theirs.
    await raised(world, steps, [again(account="+85512999999", household="another head")])
    assert await steps.claim() == []
    await checked(steps)
    assert len((await world.get("/holds", rule="account_name"))["items"]) == 2


async def test_one_account_for_two_households_is_compared_for_each(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    right = Entitlement(account="+85512000001")
    other = Entitlement(account="+85512000001")
    called_rightly(world, [right])
    world.registry.names[other.household_id] = "Zzyx Qwrt"
    await world.fund(20_000_000)
    await raised(world, steps, [right, other])
    await checked(steps)
    assert [order.household_id for order in await steps.claim()] == [right.household_id]


async def test_accounts_that_cannot_be_paid_are_rejected_and_no_money_leaves(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(missing_account_share=0.5)
    owed = entitlements(40)
    called_rightly(world, owed)
    await world.fund(20_000_000)
    announced = await raised(world, steps, owed)
    await checked(steps)
    expected = {
        AccountState.OPEN: ("paid", ""),
        AccountState.CLOSED: ("failed", "account_unavailable"),
        AccountState.UNKNOWN: ("failed", "account_not_known"),
    }
    paid = await steps.pay_all()
    await steps.close_all()
    known = states(sandbox, owed)
    assert len(set(known)) == 3
    assert await world.outcomes(announced) == {
        str(entitlement.entitlement_id): expected[state]
        for entitlement, state in zip(owed, known, strict=True)
    }
    # Nothing was asked to be paid of the others.
    rejected = await world.get("/instructions", status="rejected", limit=100)
    assert len(paid) + len(rejected["items"]) == 40
    sent = "SELECT count(sent_at) FROM payments.instruction WHERE status = 'rejected'"
    assert await world.owner.fetchval(sent) == 0
    assert (await world.get("/funds/relief"))["committed_minor"] == 0
    await world.proofs()


async def test_what_is_known_before_the_release_ends_a_payment_after_it(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox(missing_account_share=1)
    owed = entitlements(4)
    await world.open_fund()
    await raised(world, steps, owed)
    await checked(steps)
    assert {check["outcome"] for check in await checks(world)} == {"closed"}
    assert await world.count("ready") == 4
    await world.fund(20_000_000)
    await steps.raise_announced()
    await checked(steps)
    assert await world.count("rejected") == 4
    assert (await world.get("/funds/relief"))["committed_minor"] == 0
    await world.proofs()


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=503),
        Response("<html>", media_type="text/html"),
        Response('{"holders": []}', media_type="application/json"),
        Response("[" * 100_000, media_type="application/json"),
    ],
    ids=["away", "html", "another", "deep"],
)
async def test_while_nothing_can_be_compared_payments_wait_and_an_alarm_says_so(
    world: World, steps: Steps, start_sandbox: StartSandbox, answer: Response
) -> None:
    start_sandbox()
    owed = entitlements(3, provider="mekong")
    called_rightly(world, owed)
    world.registry.on_compare = answer
    await world.fund(20_000_000)
    await raised(world, steps, owed)

    async def tried() -> bool:
        await checked(steps)
        return all(check["tries"] >= 3 for check in await checks(world))

    await eventually(tried)
    assert await steps.claim() == []
    await steps.step("watch")
    (alarm,) = (await world.get("/alarms", kind="accounts_not_checked"))["items"]
    assert "3 payments to mekong wait" in alarm["detail"]
    page = await world.get("/unresolved/account_not_checked")
    assert len(page["items"]) == 3
    assert {item["reason"] for item in page["items"]} & {"registry_503", "registry_unreadable"}
    # It ends by itself.
    world.registry.on_compare = None

    async def let_go() -> bool:
        await checked(steps)
        return len(await steps.pay_all()) == 3

    await eventually(let_go)
    await steps.step("watch")
    assert (await world.get("/alarms", kind="accounts_not_checked", status="open"))["items"] == []


async def test_a_further_attempt_is_checked_once_more(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    alike, other = owed = entitlements(2, provider="mekong")
    called_rightly(world, owed)
    await world.fund(20_000_000)
    await raised(world, steps, owed)
    await checked(steps)
    await steps.hear([(order.instruction_id, REJECTED) for order in await steps.claim()])
    # The account has another holder since, as far as the registry can tell.
    world.registry.names[other.household_id] = "Zzyx Qwrt"
    for entitlement in owed:
        rejected = await world.instruction_of(entitlement.entitlement_id)
        body = {"reason": "They say that it is open again."}
        proposal = await world.propose(f"/instructions/{rejected['id']}/attempts", body)
        await world.approve(proposal["id"])
    assert await steps.claim() == []
    await checked(steps)
    assert [order.household_id for order in await steps.pay_all()] == [alike.household_id]
    [hold] = (await world.get("/holds", rule="account_name"))["items"]
    held = await world.instruction_of(other.entitlement_id)
    assert (hold["instruction_id"], held["attempt"]) == (held["id"], 2)
    await world.proofs()


async def test_a_further_attempt_into_a_closed_account_sends_nothing(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox(missing_account_share=1)
    [owed] = entitlements(1, provider="mekong")
    await world.fund(20_000_000)
    await raised(world, steps, [owed])
    await checked(steps)
    rejected = await world.instruction_of(owed.entitlement_id)
    body = {"reason": "They say that it is open again."}
    proposal = await world.propose(f"/instructions/{rejected['id']}/attempts", body)
    await world.approve(proposal["id"])
    assert await steps.claim() == []
    await checked(steps)
    again = await world.instruction_of(owed.entitlement_id)
    assert (again["attempt"], again["status"]) == (2, "rejected")
    assert again["reason"] == rejected["reason"]
    await world.proofs()


async def test_a_provider_that_is_away_is_waited_for(world: World, steps: Steps) -> None:
    owed = entitlements(2, provider="mekong")
    await world.fund(20_000_000)
    await raised(world, steps, owed)
    await steps.step("check-accounts-mekong")
    assert await steps.claim() == []
    assert {check["reason"] for check in await checks(world)} == {"connection_lost"}
