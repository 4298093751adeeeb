"""Accounts of whomever a trigger that is ready would pay are checked before the shock."""

from collections import Counter

import pytest

from sandbox.misbehaviour import AccountState
from services.payments.account_checks import preparing
from shared.ids import new_id
from tests.payments.checked_accounts import CHECKED, called_rightly, checked, raised
from tests.payments.conftest import StartSandbox, World, entitlements, providers_with
from tests.payments.steps import Steps
from tests.payments.test_reservations import counted, stood_down, told


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    providers = providers_with(environment, **CHECKED)
    monkeypatch.setenv("PAYMENTS_PROVIDERS", providers)
    return {**environment, "PAYMENTS_PROVIDERS": providers}


async def fetched(steps: Steps) -> int:
    """Fetch all that is to be fetched now; how many accounts that were."""
    accounts = 0
    while got := await steps.step("prepare-accounts"):
        accounts += got
    await checked(steps)
    return accounts


async def test_what_does_not_match_is_a_worklist_before_anything_is_paid(
    world: World, steps: Steps, start_sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "PAGE_SIZE", 4)
    sandbox = start_sandbox(missing_account_share=0.3)
    temperament = sandbox.options.temperament
    owed = entitlements(14)
    states = {
        each.household_id: temperament.account(each.account).state is AccountState.OPEN
        for each in owed
    }
    assert len(set(states.values())) == 2
    called_rightly(world, owed)
    wrong = next(each for each in owed if states[each.household_id])
    world.registry.names[wrong.household_id] = "Zzyx Qwrt"
    world.registry.prepared = owed
    await world.fund(20_000_000)
    readiness_id = new_id()
    await told(world, steps, counted(readiness_id, 1_000_000))
    assert await fetched(steps) == 14

    expected = Counter(states.values())
    [span] = (await world.get("/account-checks/preparations"))["items"]
    assert span["readiness_id"] == str(readiness_id)
    assert span["fetched_at"] is not None
    assert (span["accounts"], span["waiting"], span["doubted"]) == (14, 0, 1)
    assert (span["passed"], span["closed"]) == (expected[True] - 1, expected[False])
    chosen = {"readiness_id": str(readiness_id)}
    listed = await world.get("/account-checks", **chosen, outcome="doubted")
    assert [each["household_id"] for each in listed["items"]] == [str(wrong.household_id)]
    closed = await world.get("/account-checks", **chosen, outcome="closed", limit=100)
    assert {each["household_id"] for each in closed["items"]} == {
        str(household_id) for household_id, is_open in states.items() if not is_open
    }
    assert (await world.get("/account-checks", readiness_id=str(new_id())))["items"] == []

    # It is mended, and asked about again; what has passed is not.
    called_rightly(world, [wrong])
    asked = sum(len(each.holders) for each in world.registry.compared)
    await world.owner.execute("UPDATE payments.account_preparation SET fetch_at = now()")
    assert await fetched(steps) == 14
    assert sum(len(each.holders) for each in world.registry.compared) == asked + 1
    assert (await world.get("/account-checks", **chosen, outcome="doubted"))["items"] == []

    # When it comes, those that passed are paid at once.
    await raised(world, steps, owed)
    paid = {order.household_id for order in await steps.pay_all()}
    assert paid == {household_id for household_id, is_open in states.items() if is_open}
    assert sum(len(each.holders) for each in world.registry.compared) == asked + 1

    # No account is kept for a trigger that stands down.
    await told(world, steps, stood_down(readiness_id))
    await steps.step("prepare-accounts")
    assert await world.owner.fetchval("SELECT count(*) FROM payments.prepared_account") == 0
    assert (await world.get("/account-checks/preparations"))["items"] == []
    await world.proofs()


async def test_another_count_is_fetched_anew_and_a_registry_that_is_away_is_waited_for(
    world: World, steps: Steps, start_sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "PAGE_SIZE", 2)
    start_sandbox()
    owed = entitlements(5)
    called_rightly(world, owed)
    world.registry.prepared = owed[:3]
    await world.fund(20_000_000)
    readiness_id = new_id()
    await told(world, steps, counted(readiness_id, 1_000_000, households=3))
    assert await steps.step("prepare-accounts") == 2
    # In more areas, before the first was read to its end.
    world.registry.prepared = owed
    await told(world, steps, counted(readiness_id, 1_000_000, households=5))
    world.registry.prepared_status = 503
    assert await steps.step("prepare-accounts") == 0
    world.registry.prepared_status = 200
    await world.owner.execute("UPDATE payments.account_preparation SET fetch_at = now()")
    assert await fetched(steps) == 5
    [span] = (await world.get("/account-checks/preparations"))["items"]
    assert (span["accounts"], span["passed"]) == (5, 5)
