"""What a rule holds is not sent: it is listed with what the rule found."""

import asyncio
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judge.proofs.stopping import nothing_held_was_sent
from judge.witnesses.database import read_holds
from shared.ids import new_id
from tests.payments.announcing import Entitlement
from tests.payments.batch_provider import BatchProvider, provider
from tests.payments.conftest import World
from tests.payments.holding import (
    ACCOUNT,
    CAP,
    DUPLICATE,
    NO_TIME,
    after_an_hour,
    forget_sending,
    held,
    households_claimed,
    later,
    released,
    rule,
)
from tests.payments.scripted import Script, script
from tests.payments.steps import Steps

__all__ = ["provider", "script"]


async def test_the_judge_sees_what_is_claimed_while_it_is_held(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(20_000_000)
    await rule(world, **CAP)
    above = Entitlement(account="+85512000001", amount_minor=200_001)
    await released(world, steps, above, Entitlement(account="+85512000002"))
    [claimed] = await steps.claim()
    [hold] = await read_holds(owner)
    assert (hold.ended_at, hold.claimed_at) == (None, None)
    assert nothing_held_was_sent([hold], [], clock_behind=NO_TIME).evidence == ()
    # As if the other one had been held.
    await owner.execute("UPDATE payments.hold SET instruction_id = $1", claimed.instruction_id)
    [evidence] = nothing_held_was_sent(await read_holds(owner), [], clock_behind=NO_TIME).evidence
    assert f"payment {claimed.instruction_id} was claimed at" in evidence


async def test_one_account_for_several_households_is_held_for_all_of_them(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    shared = [Entitlement(account="+85512000001") for _ in range(3)]
    own = Entitlement(account="+85512000002")
    # The same number at another provider is another account.
    elsewhere = Entitlement(account="+85512000002", provider="tonle")
    await released(world, steps, *shared, own, elsewhere)
    assert await households_claimed(steps) == {own.household_id}
    holds = (await world.get("/holds"))["items"]
    assert len(holds) == 3
    assert {hold["rule"] for hold in holds} == {"same_account"}
    assert holds[0]["reason"] == (
        "Its account is to be paid for 3 households within 30 days; 1 may be."
    )
    assert (holds[0]["status"], holds[0]["scheme"]) == ("ready", "flood")
    assert (holds[0]["amount_minor"], holds[0]["approval_id"]) == (96_000, None)
    counted = (await world.get(f"/holds/{holds[0]['number']}/payments"))["items"]
    assert {each["household_id"] for each in counted} == {str(each.household_id) for each in shared}
    assert {each["status"] for each in counted} == {"ready"}
    assert (await world.client.get("/holds/999/payments")).status_code == 404
    await world.proofs()


async def test_an_account_is_compared_with_those_that_were_paid_before(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, same_account={"households": 2, "window_days": 10})
    await released(world, steps, *(Entitlement(account="+85512000001") for _ in range(2)))
    assert await held(world) == []
    await steps.pay_all()
    await released(world, steps, Entitlement(account="+85512000001"))
    assert [by for _, by in await held(world)] == ["same_account"]
    later(world, days=11)
    await released(world, steps, Entitlement(account="+85512000001"))
    assert len(await held(world)) == 1


async def test_what_would_take_a_household_above_the_cap_is_held(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **CAP)
    household = new_id()
    for paid in range(2):
        await released(world, steps, Entitlement("+85512000001", household_id=household))
        assert len(await steps.pay_all()) == 1, paid
    await released(
        world,
        steps,
        Entitlement("+85512000001", household_id=household),
        Entitlement("+85512000002"),
    )
    [hold] = (await world.get("/holds"))["items"]
    counted = (await world.get(f"/holds/{hold['number']}/payments"))["items"]
    assert sorted(each["status"] for each in counted) == ["ready", "settled", "settled"]
    assert sum(each["amount_minor"] for each in counted) == 288_000
    assert hold["reason"] == (
        "Its household would come to 288,000 KHR within 30 days; 200,000 KHR are the most."
    )
    assert len(await steps.claim()) == 1


async def test_what_another_activation_pays_a_short_time_before_is_held(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **DUPLICATE)
    household, activation_id = new_id(), new_id()
    first = Entitlement("+85512000001", household_id=household)
    await released(world, steps, first, activation_id=activation_id)
    # Another run of the same activation is no other event.
    again = Entitlement("+85512000001", household_id=household)
    await released(world, steps, again, activation_id=activation_id)
    assert await held(world) == []
    await released(world, steps, Entitlement("+85512000001", household_id=household))
    [hold] = (await world.get("/holds"))["items"]
    assert hold["reason"] == (
        "2 payments of other activations of the scheme went to its household within 30 days."
    )
    counted = (await world.get(f"/holds/{hold['number']}/payments"))["items"]
    assert {each["activation_id"] for each in counted} == {str(activation_id)}
    assert len(counted) == 2
    later(world, days=31)
    await released(world, steps, Entitlement("+85512000001", household_id=household))
    # The one that was held is released as late as the others, and counts no more.
    assert len(await held(world)) == 1


async def test_what_was_not_paid_is_not_counted(world: World, steps: Steps) -> None:
    await world.fund(20_000_000)
    await rule(world, **DUPLICATE, **ACCOUNT)
    await released(world, steps, Entitlement("+85512000001"))
    [instruction] = (await world.get("/instructions"))["items"]
    await world.resolve(instruction["id"], "cancelled")
    while await steps.step("resolve"):
        pass
    await released(world, steps, Entitlement("+85512000001"))
    assert await held(world) == []


async def test_a_payment_may_be_held_by_several_rules_and_is_listed_once_as_unresolved(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **CAP, **DUPLICATE)
    household = new_id()
    for _ in range(3):
        announced = await released(
            world, steps, Entitlement("+85512000001", household_id=household)
        )
    assert [by for _, by in await held(world)] == [
        "suspected_duplicate",
        "above_cap",
        "suspected_duplicate",
    ]
    assert len(await held(world, activation_id=str(announced.activation_id))) == 2
    assert len(await held(world, rule="above_cap", scheme="flood", provider="mekong")) == 1
    assert await held(world, provider="tonle") == await held(world, scheme="drought") == []
    later(world, hours=2)
    kinds = {kind["kind"]: kind for kind in (await world.get("/unresolved"))["kinds"]}
    kind = kinds["held_by_rule"]
    assert (kind["count"], kinds["not_sent_too_long"]["count"]) == (2, 1)
    assert 7_100 < kind["oldest_age_seconds"] <= 7_200
    assert [sort["reason"] for sort in kind["sorts"]] == [
        "above_cap, suspected_duplicate",
        "suspected_duplicate",
    ]
    stands = await world.get(f"/activations/{announced.activation_id}")
    assert (stands["waiting_count"], stands["held_by_rule_count"]) == (1, 1)
    mekong = await world.get("/providers/mekong")
    assert (mekong["waiting_count"], mekong["waiting_for_decision_count"]) == (3, 2)
    assert mekong["waiting_for_decision_minor"] == 192_000


async def test_rules_are_set_by_two_persons_and_hold_from_then_on(
    world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    body = {"scheme": "flood", "reason": "After the review.", **ACCOUNT}
    world.registry.known = {"flood"}
    proposal = await world.propose("/hold-rules", body)
    assert proposal["what"] == (
        "Hold payments of scheme flood by these rules, before they are sent. An account that is "
        "to be paid for more than 1 household within 30 days. Until now: Nothing is held."
    )
    other = await world.propose("/hold-rules", {**body, **CAP})
    await released(world, steps, *(Entitlement("+85512000001") for _ in range(2)))
    assert await held(world) == []
    await world.approve(proposal["id"])
    # What was proposed by what has changed since is proposed again.
    await world.approve(other["id"], status=409)
    [rules] = (await world.get("/hold-rules"))["items"]
    assert rules["same_account"] == ACCOUNT["same_account"]
    assert (rules["scheme"], rules["above_cap"]) == ("flood", None)
    assert await held(world) == []
    await released(world, steps, *(Entitlement("+85512000009") for _ in range(2)))
    assert len(await held(world)) == 2


async def test_a_round_that_two_persons_release_is_looked_at_as_well(
    world: World, steps: Steps
) -> None:
    await world.open_fund(maximum_payment_minor=100_000, maximum_round_minor=100_000)
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    await released(world, steps, *(Entitlement("+85512000001") for _ in range(2)))
    proposal = await world.propose("/rounds/1/release", {"reason": "As the council decided."})
    assert await held(world) == []
    await world.approve(proposal["id"])
    assert len(await held(world)) == 2
    assert await steps.claim() == []


async def test_what_is_held_and_may_have_been_sent_is_asked_about_and_not_sent(
    script: Script, world: World, steps: Steps
) -> None:
    """The database lost that it was sent, or that it was not: nobody knows."""
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    await released(world, steps, *(Entitlement("+85512000001") for _ in range(2)))
    await forget_sending(world, steps)
    assert await world.count("unknown") == 2
    await after_an_hour(world)
    await steps.step("inquire-mekong")
    assert (len(script.asked), script.sent) == (2, [])
    for instruction, _ in await held(world):
        assert (await world.get(f"/instructions/{instruction}"))["reason"] == "held_by_rule"


async def test_batches_leave_out_what_is_held(
    provider: BatchProvider, world: World, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await rule(world, **ACCOUNT)
    # The older chunk has nothing to send: the younger one does not wait for it.
    await released(world, steps, *(Entitlement("+85512000001") for _ in range(2)))
    own = Entitlement("+85512000002")
    await released(world, steps, own, *(Entitlement("+85512000003") for _ in range(2)))
    for _ in range(3):
        await steps.step("send-batches-mekong")
    [batch] = (await world.get("/batches"))["items"]
    assert batch["line_count"] == 1


async def test_a_rule_says_all_that_it_needs(world: World) -> None:
    for rules in (
        {"same_account": {"households": 0, "window_days": 30}},
        {"same_account": {"households": 1}},
        {"above_cap": {"amount_minor": 1, "window_days": 1}},
        {"suspected_duplicate": {"window_days": 0}},
        {"suspected_duplicate": {"window_days": 4_000}},
    ):
        answer = await world.client.post(
            "/hold-rules",
            json={"scheme": "flood", "reason": "After the review.", **rules},
            headers={"Idempotency-Key": str(new_id())},
        )
        assert answer.status_code == 422, answer.text


PAYMENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    min_size=1,
    max_size=4,
    unique_by=lambda p: p[0],
)


async def test_the_rules_hold_what_somebody_would_hold_by_hand(world: World, steps: Steps) -> None:
    """Rounds of three households and three accounts, one after another, by all rules at once."""
    await world.fund(1_000_000_000)
    await rule(world, **ACCOUNT, **CAP, **DUPLICATE)
    loop = asyncio.get_running_loop()

    async def play(rounds: list[list[tuple[int, int]]]) -> None:
        households = [new_id() for _ in range(3)]
        accounts = [f"+855{new_id().int % 10**9:09d}" for _ in range(3)]
        before: list[tuple[int, int]] = []
        for paid in rounds:
            owed = [
                Entitlement(accounts[account], household_id=households[household])
                for household, account in paid
            ]
            announced = await released(world, steps, *owed)
            page = await world.get("/instructions", chunk_id=str(announced.chunk_id))
            ids = {item["id"]: UUID(item["household_id"]) for item in page["items"]}
            found = {
                (households.index(ids[instruction]), by)
                for instruction, by in await held(world, activation_id=str(announced.activation_id))
            }
            so_far = [*before, *paid]
            expected = set()
            for household, account in paid:
                if len({each for each, other in so_far if other == account}) > 1:
                    expected.add((household, "same_account"))
                if 96_000 * sum(each == household for each, _ in so_far) > 200_000:
                    expected.add((household, "above_cap"))
                if any(each == household for each, _ in before):
                    expected.add((household, "suspected_duplicate"))
            assert found == expected
            before = so_far

    @given(st.lists(PAYMENTS, min_size=1, max_size=4))
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(rounds: list[list[tuple[int, int]]]) -> None:
        asyncio.run_coroutine_threadsafe(play(rounds), loop).result()

    await asyncio.to_thread(run)
    await world.proofs()


async def test_rules_of_a_scheme_that_does_not_exist_are_refused(world: World) -> None:
    body = {"scheme": "floods-2022", **CAP, "reason": "Decided."}
    world.registry.known = {"flood-2022"}
    refused = await world.post("/hold-rules", body, status=422)
    assert "There is no scheme floods-2022" in refused["detail"]
    known = await world.propose("/hold-rules", {**body, "scheme": "flood-2022"})
    assert "check its code" not in known["what"]
    world.registry.known = None
    unsure = await world.propose("/hold-rules", body)
    assert unsure["what"].endswith("check its code.")
