"""One bad value stops one payment: what cannot be raised is set aside, and all others are paid."""

from dataclasses import replace

import pytest

from shared.ids import new_id
from tests.payments.announcing import Entitlement
from tests.payments.conftest import World, entitlements
from tests.payments.steps import NOT_KNOWN, REJECTED, Steps, paid

BAD = [
    (Entitlement(account="+85512000009", provider="nowhere"), "unknown-provider"),
    (Entitlement(account="+85512000009", currency="USD"), "other-currency"),
    (Entitlement(account="+85512000009", amount_minor=0), "no-amount"),
    (Entitlement(account="+85512000009", amount_minor=-96_000), "no-amount"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
async def test_one_bad_row_is_set_aside_and_all_others_are_paid(
    world: World, steps: Steps, bad: Entitlement, reason: str
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(4)
    announced = await world.registry.announce([*owed[:2], bad, *owed[2:]])
    await steps.raise_announced()
    chunk = await world.chunk(announced)
    assert (chunk["status"], chunk["set_aside_count"]) == ("raised", 1)
    assert chunk["set_aside_minor"] == bad.amount_minor
    [aside] = (await world.get(f"/chunks/{announced.chunk_id}/set-aside"))["items"]
    assert (aside["entitlement_id"], aside["reason"]) == (str(bad.entitlement_id), reason)
    [released] = (await world.get("/rounds"))["items"]
    assert (released["status"], released["reserved_minor"]) == ("released", 4 * 96_000)
    assert len(await steps.pay_all()) == 4
    await steps.close_all()
    outcomes = await world.outcomes(announced)
    assert outcomes.pop(str(bad.entitlement_id)) == ("unpayable", reason)
    assert outcomes == {str(good.entitlement_id): ("paid", "") for good in owed}
    [settled] = await world.events("org.sangkroh.payments-settled.v1")
    assert (settled["paid_count"], settled["failed_count"]) == (4, 0)
    assert (settled["unpayable_count"], settled["unpayable_minor"]) == (1, bad.amount_minor)
    proofs = await world.proofs()
    assert proofs["chunks_are_whole"][0]["set_aside"] == 1


async def test_a_provider_of_another_currency_is_none_for_that_household(
    world: World, steps: Steps
) -> None:
    await world.owner.execute(
        "INSERT INTO payments.provider (code, name, currency) VALUES ('dollars', 'Dollars', 'USD')"
    )
    steps.wiring.directory._numbers = {**await steps.wiring.directory.numbers(), "dollars": 3}
    bad = Entitlement(account="+85512000009", provider="dollars")
    announced = await world.registry.announce([*entitlements(2), bad])
    await steps.raise_announced()
    [aside] = (await world.get(f"/chunks/{announced.chunk_id}/set-aside"))["items"]
    assert (aside["entitlement_id"], aside["reason"]) == (
        str(bad.entitlement_id),
        "other-currency",
    )


async def test_a_provider_that_the_settings_no_longer_name_is_unknown(
    world: World, steps: Steps
) -> None:
    await world.owner.execute(
        "INSERT INTO payments.provider (code, name, currency) VALUES ('former', 'Former', 'KHR')"
    )
    bad = Entitlement(account="+85512000009", provider="former")
    announced = await world.registry.announce([*entitlements(2), bad])
    await steps.raise_announced()
    [aside] = (await world.get(f"/chunks/{announced.chunk_id}/set-aside"))["items"]
    assert aside["reason"] == "unknown-provider"


async def test_a_chunk_of_bad_rows_alone_has_its_end_at_once(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(3, provider="nowhere"))
    await steps.raise_announced()
    await steps.close_all()
    assert (await world.chunk(announced))["status"] == "settled"
    assert {end for end, _ in (await world.outcomes(announced)).values()} == {"unpayable"}
    [released] = (await world.get("/rounds"))["items"]
    assert (released["status"], released["reserved_minor"]) == ("released", 0)
    await world.proofs()


async def test_what_was_set_aside_is_paid_once_it_is_mended_and_announced_again(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(3, provider="mekong")
    bad = replace(owed[0], provider="nowhere")
    first = await world.registry.announce([bad, *owed[1:]])
    await steps.raise_announced()
    await steps.pay_all()
    await steps.close_all()
    mended = replace(owed[0], provider="tonle", announcement=2)
    second = await world.registry.announce([mended], activation_id=first.activation_id)
    await steps.raise_announced()
    [order] = await steps.pay_all()
    await steps.close_all()
    assert await world.outcomes(second) == {str(mended.entitlement_id): ("paid", "")}
    instruction = await world.get(f"/instructions/{order.instruction_id}")
    assert (instruction["announcement"], instruction["attempt"]) == (2, 1)
    # What was told of the first chunk stands.
    assert (await world.outcomes(first))[str(bad.entitlement_id)][0] == "unpayable"
    await world.proofs()


async def test_a_rejected_payment_that_is_announced_again_is_a_new_instruction(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [owed] = entitlements(1, provider="mekong")
    first = await world.registry.announce([owed])
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    await steps.close_all()
    mended = replace(owed, announcement=2, provider="tonle", account="+85512999999")
    second = await world.registry.announce([mended], activation_id=first.activation_id)
    await steps.raise_announced()
    [again] = await steps.pay_all()
    assert again.instruction_id != order.instruction_id
    page = await world.get("/instructions", entitlement_id=str(owed.entitlement_id))
    assert {(item["announcement"], item["status"]) for item in page["items"]} == {
        (1, "rejected"),
        (2, "settled"),
    }
    # An officer does not try the first again beside the second.
    answer = await world.post(
        f"/instructions/{order.instruction_id}/attempts", {"reason": "again"}, status=409
    )
    assert "tried again already" in answer["detail"]
    await steps.close_all()
    assert await world.outcomes(first) == {str(owed.entitlement_id): ("failed", "incorrectState")}
    assert await world.outcomes(second) == {str(owed.entitlement_id): ("paid", "")}
    await world.proofs()


async def test_a_chunk_worked_anew_waits_for_the_payments_of_the_first_and_tells_their_end(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(4, provider="mekong")
    first = await world.registry.announce(owed[:3])
    await steps.raise_announced()
    settled, rejected, silent = await steps.claim()
    await steps.hear([(settled.instruction_id, paid(settled.instruction_id))])
    await steps.hear([(rejected.instruction_id, REJECTED)])
    # The registry lost what it had said, and says it anew, under another chunk's id.
    anew = await world.registry.announce(owed, activation_id=first.activation_id)
    await steps.raise_announced()
    rows = (await world.get(f"/chunks/{anew.chunk_id}/set-aside"))["items"]
    assert sorted(row["reason"] for row in rows) == ["already-failed", "already-paid", "undecided"]
    assert len(await steps.pay_all()) == 1
    await steps.close_all()
    assert (await world.chunk(anew))["status"] == "raised"
    assert len(await world.outcomes(anew)) == 3
    await steps.hear([(silent.instruction_id, paid(silent.instruction_id))])
    await steps.close_all()
    assert (await world.chunk(anew))["status"] == "settled"
    ends = [end for end, _ in (await world.outcomes(anew)).values()]
    assert sorted(ends) == ["failed", "paid", "paid", "paid"]
    [event] = [
        event
        for event in await world.events("org.sangkroh.payments-settled.v1")
        if event["chunk_id"] == str(anew.chunk_id)
    ]
    assert (event["paid_count"], event["failed_count"], event["unpayable_count"]) == (3, 1, 0)
    await world.proofs()


async def test_a_correction_is_told_to_every_chunk_that_it_answers_for(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [owed] = entitlements(1, provider="mekong")
    first = await world.registry.announce([owed])
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    anew = await world.registry.announce([owed], activation_id=first.activation_id)
    await steps.raise_announced()
    await steps.close_all()
    assert (await world.outcomes(anew))[str(owed.entitlement_id)][0] == "failed"
    # The provider paid it after all: both chunks wait for the officer.
    await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    assert (await world.chunk(anew))["status"] == "raised"
    await steps.close_all()
    assert (await world.chunk(anew))["status"] == "raised"
    await world.resolve(order.instruction_id, "settled")
    await steps.step("resolve")
    await steps.close_all()
    for announced in (first, anew):
        assert (await world.outcomes(announced))[str(owed.entitlement_id)][0] == "paid"
        assert (await world.chunk(announced))["status"] == "settled"
    await world.proofs()


async def test_a_held_payment_is_not_paid_again_however_often_it_is_announced(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [owed] = entitlements(1, provider="mekong")
    first = await world.registry.announce([owed])
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    again = await world.registry.announce(
        [replace(owed, announcement=2)], activation_id=first.activation_id
    )
    await steps.raise_announced()
    [aside] = (await world.get(f"/chunks/{again.chunk_id}/set-aside"))["items"]
    assert aside["reason"] == "undecided"
    assert await steps.pay_all() == []


async def test_two_chunks_with_one_entitlement_raise_it_once_whoever_comes_first(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(3, provider="mekong")
    first = await world.registry.announce(owed[:2])
    second = await world.registry.announce(owed[1:], activation_id=first.activation_id)
    await steps.raise_announced()
    assert await world.count("ready") == 3
    assert len(await steps.pay_all()) == 3
    await steps.hear([(new_id(), NOT_KNOWN)])
    await steps.close_all()
    for announced in (first, second):
        assert {end for end, _ in (await world.outcomes(announced)).values()} == {"paid"}
    await world.proofs()
