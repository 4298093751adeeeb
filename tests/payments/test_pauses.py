"""A pause: one person stops money at once, everywhere; what is in flight ends; two let it go."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from judge.proofs.stopping import nothing_left_while_paused
from judge.witnesses.database import read_pauses
from shared.clock import set_clock
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.announcing import Announced, Entitlement
from tests.payments.batch_provider import BatchProvider, provider
from tests.payments.conftest import World, entitlements
from tests.payments.scripted import Script, answering, script
from tests.payments.steps import PENDING, SILENCE, Steps, paid

__all__ = ["provider", "script"]

WHY = {"reason": "Accounts are being drained, says the provider."}
RESUME = {"reason": "The leak is closed."}


async def pause(world: World, **scope: Any) -> Any:
    return await world.post("/pauses", {**scope, **WHY})


async def resume(world: World, paused: Any) -> None:
    proposal = await world.propose(f"/pauses/{paused['id']}/resumption", RESUME)
    await world.approve(proposal["id"])


async def released(world: World, steps: Steps, *owed: Entitlement) -> Announced:
    await world.fund(20_000_000)
    announced = await world.registry.announce(owed)
    await steps.raise_announced()
    return announced


async def test_the_judge_sees_what_is_claimed_while_it_is_paused(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    elsewhere = entitlements(1, provider="tonle")
    await released(world, steps, *entitlements(4, provider="mekong"), *elsewhere)
    claimed = await steps.claim(size=2)
    await pause(world, provider="mekong", area="KH")
    assert await steps.claim() == []
    [kept] = await read_pauses(owner)
    assert (len(kept.concerned), kept.claimed) == (4, [])
    # As if it had been paused before.
    await owner.execute("UPDATE payments.pause SET paused_at = paused_at - interval '1 hour'")
    found = nothing_left_while_paused(
        await read_pauses(owner), [], clock_behind=timedelta(0), heard_within=timedelta(seconds=1)
    )
    assert sorted(line.split()[1] for line in found.evidence) == sorted(
        str(order.instruction_id) for order in claimed
    )


async def test_one_person_pauses_at_once_and_two_resume(world: World, steps: Steps) -> None:
    announced = await released(world, steps, *entitlements(3, provider="mekong"))
    paused = await pause(world, provider="mekong")
    assert (paused["paused_by"], paused["resumed_at"]) == ("officer@test", None)
    assert (paused["provider"], paused["area"], paused["rounds"]) == ("mekong", None, 1)
    assert paused["waiting"] == [
        {"currency": "KHR", "count": 3, "households": 3, "amount_minor": 288_000}
    ]
    assert await steps.claim() == []
    proposal = await world.propose(f"/pauses/{paused['id']}/resumption", RESUME)
    assert proposal["what"] == (
        "Send again what is paused, provider mekong: 3 payments wait for it, 288,000 KHR."
    )
    assert (proposal["households"], proposal["amount_minor"]) == (3, 288_000)
    # Whoever proposed it does not approve it.
    answer = await world.client.post(f"/approvals/{proposal['id']}/approval", json=RESUME)
    assert answer.status_code in (403, 409)
    assert await steps.claim() == []
    approved = await world.approve(proposal["id"])
    assert approved["outcome"] == f"/v1/pauses/{paused['id']}"
    assert len(await steps.claim()) == 3
    assert (await world.get("/pauses"))["items"] == []
    [kept] = (await world.get("/pauses", resumed=True))["items"]
    assert kept["resumed_at"] is not None
    assert (await world.get(f"/pauses/{paused['id']}"))["waiting"] == []
    answer = await world.client.post(
        f"/pauses/{paused['id']}/resumption", json=RESUME, headers={"Idempotency-Key": "again"}
    )
    assert answer.status_code == 409
    assert (await world.chunk(announced))["status"] == "raised"
    await world.proofs()


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ({"provider": "tonle"}, {"0201", "0801"}),
        ({"provider": "mekong"}, set()),
        ({"scheme": "flood"}, set()),
        ({"scheme": "drought"}, {"0201", "0801"}),
        ({"area": "02"}, {"0801"}),
        ({"area": "0201"}, {"0801"}),
        ({"area": "020103"}, {"0201", "0801"}),
        ({"area": "KH"}, set()),
        ({"provider": "mekong", "area": "08"}, {"0201"}),
        ({"provider": "tonle", "area": "08"}, {"0201", "0801"}),
        ({"scheme": "drought", "area": "08"}, {"0201", "0801"}),
    ],
)
@pytest.mark.parametrize("together", [True, False])
async def test_nothing_is_claimed_that_is_paused_and_all_else_is(
    world: World, steps: Steps, scope: dict[str, Any], left: set[str], together: bool
) -> None:
    """Whether both areas are in one chunk, or in one each."""
    owed = [
        Entitlement(account=f"+8551200000{n}", area=area) for n, area in enumerate(("0201", "0801"))
    ]
    await world.fund(20_000_000)
    for part in [owed] if together else [owed[:1], owed[1:]]:
        await world.registry.announce(part)
    await steps.raise_announced()
    areas = {each.household_id: each.area for each in owed}
    paused = await pause(world, **scope)
    orders = await steps.claim()
    assert {areas[order.household_id] for order in orders} == left
    assert sum(sort["count"] for sort in paused["waiting"]) == 2 - len(left)
    await resume(world, paused)
    orders += await steps.claim()
    assert {areas[order.household_id] for order in orders} == set(areas.values())
    await world.proofs()


async def test_an_activation_is_paused_and_another_goes_on(world: World, steps: Steps) -> None:
    first = await released(world, steps, *entitlements(2, provider="mekong"))
    second = await released(world, steps, *entitlements(3, provider="mekong"))
    await pause(world, activation_id=str(first.activation_id))
    assert len(await steps.claim()) == 3
    stands = await world.get(f"/activations/{first.activation_id}")
    assert (stands["waiting_count"], stands["paused_count"]) == (2, 2)
    assert stands["paused_minor"] == 192_000
    assert (await world.get(f"/activations/{second.activation_id}"))["paused_count"] == 0
    mekong = await world.get("/providers/mekong")
    assert mekong["waiting_for_resumption_count"] == mekong["waiting_count"] == 2
    assert mekong["waiting_for_resumption_minor"] == 192_000


async def test_a_pause_before_anything_was_announced_holds_what_comes(
    world: World, steps: Steps
) -> None:
    activation_id = new_id()
    paused = await pause(world, activation_id=str(activation_id))
    assert (paused["rounds"], paused["waiting"]) == (0, [])
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"), activation_id=activation_id)
    await steps.raise_announced()
    assert await steps.claim() == []


async def test_each_pause_ends_by_its_own_resumption(world: World, steps: Steps) -> None:
    await released(world, steps, *entitlements(1, provider="mekong"))
    first = await pause(world, provider="mekong")
    second = await pause(world, scheme="flood")
    await resume(world, first)
    assert await steps.claim() == []
    await resume(world, second)
    assert len(await steps.claim()) == 1


async def test_what_is_in_flight_is_asked_about_and_settles_and_is_not_sent_again(
    script: Script, world: World, steps: Steps
) -> None:
    await released(world, steps, *entitlements(2, provider="mekong"))
    orders = await steps.claim()
    [first, second] = [order.instruction_id for order in orders]
    await steps.hear([(first, PENDING), (second, SILENCE)])
    paused = await pause(world, provider="mekong")

    async def ask() -> None:
        await world.owner.execute(
            "UPDATE payments.instruction SET next_action_at = clock_timestamp(), "
            "sent_at = sent_at - interval '1 hour'"
        )
        await steps.step("inquire-mekong")

    await ask()
    assert sorted(script.asked) == sorted([first, second])
    assert script.sent == []
    shown = await world.get(f"/instructions/{second}")
    assert (shown["status"], shown["reason"]) == ("unknown", "paused")
    [waits] = (await world.get("/unresolved/paused"))["items"]
    assert waits["instruction_id"] == str(second)
    # What the provider says is recorded, paused or not.
    script.on_ask = lambda instruction_id: answering(paid(instruction_id))(instruction_id)
    await ask()
    assert await world.count("settled") == 2
    assert script.sent == []
    await resume(world, paused)
    await world.proofs()


async def test_two_persons_who_have_it_sent_again_do_not_pass_a_pause(
    script: Script, world: World, steps: Steps
) -> None:
    await released(world, steps, *entitlements(1, provider="mekong"))
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, SILENCE)])
    paused = await pause(world, area="02")
    await world.resolve(order.instruction_id, "resend")
    while await steps.step("resolve"):
        pass

    async def ask() -> None:
        await world.owner.execute(
            "UPDATE payments.instruction SET next_action_at = clock_timestamp(), "
            "sent_at = sent_at - interval '1 hour'"
        )
        await steps.step("inquire-mekong")

    await ask()
    assert script.sent == []
    await resume(world, paused)
    await ask()
    assert script.sent == [order.instruction_id]


async def test_what_was_claimed_and_has_not_left_is_given_back(
    script: Script, world: World, steps: Steps
) -> None:
    await released(world, steps, *entitlements(3, provider="mekong"))
    await steps.step("pauses")
    lane = steps.wiring.lanes["mekong"]
    claimed = await lane.claim(size=3, actor="dispatch")
    paused = await pause(world, provider="mekong")
    await steps.step("pauses")
    lane.send_all(claimed)
    await steps.wiring.settle_requests()
    assert script.sent == []
    assert await world.count("ready") == 3
    history = await world.get(f"/instructions/{claimed[0].order.instruction_id}")
    assert history["moves"][-1]["reason"] == "paused_meanwhile"
    await resume(world, paused)
    await world.owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    assert await steps.step("send-mekong") == 3
    assert len(script.sent) == 3
    await world.proofs()


async def test_what_was_raised_before_areas_were_kept_waits_for_any_area(
    world: World, steps: Steps
) -> None:
    await released(world, steps, *entitlements(2, provider="mekong"))
    await world.owner.execute("UPDATE payments.instruction SET area_code = NULL")
    await world.owner.execute("UPDATE payments.chunk SET area_code = NULL")
    paused = await pause(world, area="24")
    assert await steps.claim() == []
    assert paused["waiting"][0]["count"] == 2


async def test_a_chunk_knows_the_smallest_area_in_which_all_of_it_lies(
    world: World, steps: Steps
) -> None:
    for areas, expected in (
        (("020103", "020104"), "02010"),
        (("020103", "0201"), "0201"),
        (("0201", "0801"), "0"),
        (("1201", "0801"), ""),
        (("020103",), "020103"),
    ):
        owed = [Entitlement(account=f"+8551200000{n}", area=a) for n, a in enumerate(areas)]
        await released(world, steps, *owed)
        newest = "SELECT area_code FROM payments.chunk ORDER BY number DESC LIMIT 1"
        assert await world.owner.fetchval(newest) == expected


async def test_what_waits_for_a_pause_is_listed_with_its_age(world: World, steps: Steps) -> None:
    await released(world, steps, *entitlements(2, provider="mekong"))
    paused = await pause(world, scheme="flood")
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON + timedelta(hours=30))
    [shown] = (await world.get("/pauses"))["items"]
    assert 107_900 < shown["age_seconds"] <= 108_100
    kinds = {kind["kind"]: kind for kind in (await world.get("/unresolved"))["kinds"]}
    assert kinds["paused"]["count"] == 2
    assert 107_900 < kinds["paused"]["oldest_age_seconds"] <= 108_100
    assert "/resumption" in kinds["paused"]["what_to_do"]
    # Its way out is no prefunding.
    assert kinds["not_sent_too_long"]["count"] == 0
    await resume(world, paused)
    kinds = {kind["kind"]: kind for kind in (await world.get("/unresolved"))["kinds"]}
    assert (kinds["paused"]["count"], kinds["not_sent_too_long"]["count"]) == (0, 2)


async def test_a_pause_names_something_and_a_provider_that_there_is(world: World) -> None:
    for body, status in (
        (WHY, 422),
        ({"provider": "nobody", **WHY}, 422),
        ({"area": "2", **WHY}, 422),
        ({"area": "02"}, 422),
    ):
        answer = await world.client.post(
            "/pauses", json=body, headers={"Idempotency-Key": str(new_id())}
        )
        assert answer.status_code == status, answer.text
    assert (await world.client.get(f"/pauses/{new_id()}")).status_code == 404
    assert (await world.get("/pauses", resumed=True))["items"] == []


async def go_on(world: World, steps: Steps, *, times: int = 1) -> None:
    for _ in range(times):
        await world.owner.execute(
            "UPDATE payments.batch SET next_action_at = now(), "
            "sent_at = sent_at - interval '2 seconds' WHERE next_action_at IS NOT NULL"
        )
        await steps.step("send-batches-mekong")
        await steps.step("batches-mekong")


async def test_batches_leave_out_what_is_paused(
    provider: BatchProvider, world: World, steps: Steps
) -> None:
    owed = [
        Entitlement(account=f"+8551200000{n}", area=area)
        for n, area in enumerate(("0201", "0801", "0802"))
    ]
    await world.fund(20_000_000)
    # The older chunk has nothing to send: the younger one does not wait for it.
    for part in (owed[:1], owed[1:]):
        await world.registry.announce(part)
    await steps.raise_announced()
    first = await pause(world, area="0802")
    second = await pause(world, area="02")
    await go_on(world, steps, times=6)
    assert len(provider.paid) == 1
    await resume(world, first)
    await resume(world, second)
    await go_on(world, steps, times=10)
    assert set(provider.paid.values()) == {1}
    assert await world.count("settled") == 3
    await world.proofs()


async def test_a_batch_that_was_not_approved_at_the_provider_waits_there(
    provider: BatchProvider, world: World, steps: Steps
) -> None:
    await released(world, steps, *entitlements(2, provider="mekong"))
    await steps.step("send-batches-mekong")
    [batch] = (await world.get("/batches"))["items"]
    assert batch["status"] == "created"
    paused = await pause(world, provider="mekong")
    await go_on(world, steps, times=5)
    [batch] = (await world.get("/batches"))["items"]
    assert (batch["status"], batch["reason"]) == ("created", "paused")
    assert dict(provider.paid) == {}
    await resume(world, paused)
    await go_on(world, steps, times=5)
    assert await world.count("settled") == 2
    assert set(provider.paid.values()) == {1}
    assert len(provider.taken) == 1
    await world.proofs()


async def test_a_batch_under_way_comes_to_its_end(
    provider: BatchProvider, world: World, steps: Steps
) -> None:
    provider.two_steps = False
    await released(world, steps, *entitlements(2, provider="mekong"))
    await steps.step("send-batches-mekong")
    await pause(world, provider="mekong")
    await go_on(world, steps, times=5)
    assert await world.count("settled") == 2


async def test_whoever_pauses_and_why_is_in_the_audit_record(world: World) -> None:
    paused = await pause(world, provider="mekong")
    [record] = (await world.get("/audit", object=f"pauses/{paused['id']}"))["items"]
    assert (record["operation"], record["reason"]) == ("POST /v1/pauses", WHY["reason"])
    assert record["after"] == {"provider": "mekong"}


async def test_what_does_not_exist_is_not_paused(world: World, steps: Steps) -> None:
    announced = await released(world, steps, *entitlements(1, provider="mekong"))
    scheme = (await world.get("/rounds"))["items"][0]["scheme"]
    world.registry.known = {"0203"}
    for field, value, where in (
        ("provider", "nobody", "/v1/providers"),
        ("scheme", "floods-2022", "/v1/schemes"),
        ("activation_id", str(new_id()), "/v1/activations"),
        ("area", "9901", "/v1/areas"),
    ):
        body = {field: value, "reason": "Something is wrong."}
        refused = await world.post("/pauses", body, status=422)
        assert where in refused["detail"], refused
    assert (await world.get("/pauses"))["items"] == []
    # What payments has seen itself needs nobody else, and what the registry knows is there.
    for body in (
        {"scheme": scheme, "activation_id": str(announced.activation_id)},
        {"area": "0203"},
        {"area": "KH"},
    ):
        assert (await pause(world, **body))["not_checked"] == []
    # Money is stopped also where nobody can say, and the answer says so.
    world.registry.known = None
    unsure = {"scheme": "floods-2022", "area": "9901", "provider": "mekong"}
    assert (await pause(world, **unsure))["not_checked"] == ["scheme", "area"]
