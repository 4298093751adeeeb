"""A round is released whole or not at all."""

from shared.ids import new_id
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import Steps


async def test_a_round_that_the_fund_does_not_cover_waits_and_nothing_is_sent(
    world: World, steps: Steps
) -> None:
    await world.fund(200_000)
    await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    [waiting] = (await world.get("/rounds"))["items"]
    assert waiting["status"] == "unfunded"
    assert "needs 288,000 KHR and fund relief has 200,000 KHR" in waiting["reason"]
    assert await steps.claim() == []
    assert await steps.step("release") == 0
    await world.fund(88_000)
    await steps.raise_announced()
    [released] = (await world.get("/rounds"))["items"]
    assert (released["status"], released["reserved_minor"]) == ("released", 288_000)
    assert released["reason"] is None
    # The float of each provider is half of the fund: one payment's worth.
    assert len(await steps.claim()) == 1
    await world.proofs()


async def test_a_round_without_its_fund_waits_for_it(world: World, steps: Steps) -> None:
    await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    [waiting] = (await world.get("/rounds", status="unfunded"))["items"]
    assert "There is no fund relief" in waiting["reason"]
    await world.fund(1_000_000)
    await steps.raise_announced()
    assert (await world.get("/rounds"))["items"][0]["status"] == "released"


async def test_two_rounds_do_not_share_the_same_money(world: World, steps: Steps) -> None:
    await world.fund(300_000)
    for _ in range(2):
        await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    rounds = (await world.get("/rounds"))["items"]
    assert sorted(waiting["status"] for waiting in rounds) == ["released", "unfunded"]
    await world.proofs()


async def test_nothing_is_sent_before_the_registry_says_that_it_is_all(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(6)
    first = await world.registry.announce_chunk(owed[:3])
    await steps.raise_announced()
    assert await steps.claim() == []
    await world.registry.complete(first, owed, chunk_count=2)
    await steps.raise_announced()
    assert await steps.claim() == []
    await world.registry.announce_chunk(
        owed[3:], activation_id=first.activation_id, enrolment_id=first.enrolment_id
    )
    await steps.raise_announced()
    assert len(await steps.claim()) == 3


async def test_a_round_whose_chunks_do_not_add_up_is_refused(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce_chunk(entitlements(3))
    await world.registry.complete(announced, entitlements(4))
    await steps.raise_announced()
    [refused] = (await world.get("/rounds"))["items"]
    assert refused["status"] == "refused"
    assert "add up to 1 chunks, 3 entitlements, 288,000 KHR" in refused["reason"]
    assert await steps.claim() == []
    await world.proofs()


async def test_a_chunk_that_comes_after_its_round_was_released_is_refused(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(6)
    announced = await world.registry.announce(owed[:3])
    await steps.raise_announced()
    late = await world.registry.announce_chunk(
        owed[3:], activation_id=announced.activation_id, enrolment_id=announced.enrolment_id
    )
    await steps.raise_announced()
    assert "decided already" in (await world.chunk(late))["reason"]
    assert await world.count("ready") == 3
    await world.proofs()


async def test_a_refused_chunk_is_not_reserved_and_the_others_are_paid(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(10_000_000)
    owed = entitlements(6)
    async with world.working():
        good = await world.registry.announce_chunk(owed[:3])
        bad = await world.registry.announce_chunk(
            owed[3:],
            content=world.registry.content_of(owed[3:5]),
            activation_id=good.activation_id,
            enrolment_id=good.enrolment_id,
        )
        await world.registry.complete(good, owed, chunk_count=2)
        await world.until_chunk(good, "settled")
    assert (await world.chunk(bad))["status"] == "refused"
    assert {row["account"] for row in sandbox.book().values()} == {
        entitlement.account for entitlement in owed[:3]
    }
    assert (await world.get("/rounds"))["items"][0]["reserved_minor"] == 288_000
    summary = await world.get(f"/activations/{good.activation_id}/payments")
    assert summary["refused_chunks"] == 1
    assert sum(payments["count"] for payments in summary["payments"]) == 3
    await world.proofs()


async def test_a_round_without_payable_households_is_released_empty(
    world: World, steps: Steps
) -> None:
    announced = await world.registry.announce_chunk([])
    await world.registry.complete(announced, [])
    await steps.raise_announced()
    assert await steps.step("close") == 1
    assert (await world.chunk(announced))["status"] == "settled"
    answer = await world.client.get(f"/activations/{new_id()}/payments")
    assert answer.status_code == 404
