"""What a provider charges is booked with the payment, and touches no fund."""

import asyncio
import json
from collections import Counter

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judge.proofs.charges import charges_are_booked_once
from judge.witnesses.database import read_charged_lines, read_charges
from services.payments.providers.directory import ProviderDirectory
from tests.payments.announcing import FUND
from tests.payments.conftest import World, entitlements
from tests.payments.statement_files import (
    Line,
    lines_of,
    mapped,
    open_differences,
    ordered,
    send,
    written,
)
from tests.payments.steps import REJECTED, Steps, paid

FIXED_MINOR = 300
BASIS_POINTS = 25


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The first provider charges for payments, the second does not."""
    tariff = {"charge_fixed_minor": FIXED_MINOR, "charge_basis_points": BASIS_POINTS}
    changed = json.dumps(
        [
            {**provider, **(tariff if provider["code"] == "mekong" else {})}
            for provider in json.loads(environment["PAYMENTS_PROVIDERS"])
        ]
    )
    monkeypatch.setenv("PAYMENTS_PROVIDERS", changed)
    return {**environment, "PAYMENTS_PROVIDERS": changed}


def charge_of(paid_minor: int) -> int:
    return FIXED_MINOR + paid_minor * BASIS_POINTS // 10_000


async def charges(world: World, provider: str = "mekong") -> tuple[int, int]:
    """What a provider charged ever, and what of it is owed."""
    found = await world.get(f"/providers/{provider}")
    return found["charges_minor"], found["charges_payable_minor"]


async def test_each_settled_payment_is_charged_for_and_no_other(world: World, steps: Steps) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    owed = entitlements(4)
    await world.registry.announce(owed)
    await steps.raise_announced()
    first, second = await steps.claim("mekong")
    await steps.hear([(first.instruction_id, REJECTED)])
    assert await charges(world) == (0, 0)
    await steps.hear([(second.instruction_id, paid(second.instruction_id))])
    for order in await steps.claim("tonle"):
        await steps.hear([(order.instruction_id, paid(order.instruction_id))], provider="tonle")
    each = charge_of(96_000)
    assert await charges(world) == (each, each)
    assert await charges(world, "tonle") == (0, 0)
    fund = await world.get(f"/funds/{FUND}")
    assert (fund["spent_minor"], fund["available_minor"]) == (288_000, 2_000_000 - 288_000)
    assert (await world.get("/providers/mekong"))["float_minor"] == 900_000 - 96_000
    shown = await world.get(f"/instructions/{second.instruction_id}")
    [charged] = [each for each in shown["transfers"] if each["code"] == "charged"]
    assert (charged["debit"], charged["credit"], charged["amount_minor"]) == (
        "PROVIDER_CHARGES mekong",
        "CHARGES_PAYABLE mekong",
        each,
    )
    silent = await world.get(f"/instructions/{first.instruction_id}")
    assert "charged" not in {each["code"] for each in silent["transfers"]}
    # What comes back has cost what it cost.
    await world.resolve(second.instruction_id, "returned")
    while await steps.step("resolve"):
        pass
    assert await charges(world) == (each, each)
    await world.proofs()


async def test_two_persons_record_what_the_statement_tells(world: World, steps: Steps) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    await steps.pay_all()
    owed = charge_of(96_000)
    taken = await world.propose(
        "/providers/mekong/charges",
        {"amount_minor": 500, "paid_from": "float", "reference": "Statement 10/2020"},
    )
    assert taken["what"] == (
        "Record that mekong took 500 KHR of its charges from our money with it: Statement "
        f"10/2020. By what it was to charge, {owed} KHR is owed."
    )
    own = await world.client.post(f"/approvals/{taken['id']}/approval", json={"reason": "Mine."})
    assert own.status_code == 409
    await world.approve(taken["id"])
    provider = await world.get("/providers/mekong")
    assert provider["float_minor"] == 900_000 - 96_000 - 500
    assert (provider["charges_minor"], provider["charges_payable_minor"]) == (owed, owed - 500)
    invoice = {"amount_minor": 100, "paid_from": "treasury", "reference": "Invoice 7"}
    await world.post("/providers/mekong/charges", invoice)
    # It took more than was worked out: the difference stands below nothing.
    assert await charges(world) == (owed, owed - 600)
    assert owed < 600
    for paid_from, words in (("float", "The float at mekong"), ("treasury", "treasury account")):
        body = {"amount_minor": 10**9, "paid_from": paid_from, "reference": "x"}
        too_much = await world.propose("/providers/mekong/charges", body)
        problem = await world.approve(too_much["id"], status=409)
        assert words in problem["detail"]
    missing = {"amount_minor": 1, "paid_from": "float", "reference": "x"}
    await world.post("/providers/nobody/charges", missing, status=404)
    await world.proofs()


async def test_another_tariff_holds_for_what_is_settled_after_it(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    await steps.pay_all()
    before = charge_of(96_000)
    [mekong, *others] = world.settings.providers
    dearer = mekong.model_copy(update={"charge_fixed_minor": 7, "charge_basis_points": 0})
    directory = ProviderDirectory(
        steps.wiring.database, [dearer, *others], clock=steps.wiring.clock
    )
    await directory.numbers()
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    await steps.pay_all()
    assert await charges(world) == (before + 14, before + 14)
    await world.proofs()


@pytest.mark.parametrize("taken_minor", [200, 900])
async def test_a_charge_that_is_booked_and_stands_on_a_statement_is_booked_once(
    world: World, steps: Steps, owner: asyncpg.Connection, taken_minor: int
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await mapped(world)
    orders = await ordered(world, steps, 1)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    owed = charge_of(96_000)
    lines = [
        Line(None, 900_000, "test", "deposit"),
        *lines_of(orders),
        Line(None, taken_minor, "MK-FEE", "charge"),
        Line(orders[0].instruction_id, 96_000, "MK-AGAIN"),
    ]
    await send(world, written(lines))
    numbers = {each["kind"]: each["number"] for each in await open_differences(world)}
    fee, again = numbers["unknown_payment"], numbers["paid_again"]
    letter = {"outcome": "charged", "reason": "By the provider's letter."}
    # What is paid again is no charge, however much of these is owed.
    await world.post(f"/differences/{again}/resolution", letter)
    assert await charges(world) == (owed + 96_000, owed)
    proposed = await world.propose(f"/differences/{fee}/resolution", letter)
    settled = min(owed, taken_minor)
    assert f"{settled} KHR of it as taken of the charges that our books" in proposed["what"]
    await world.approve(proposed["id"])
    assert await charges(world) == (96_000 + max(owed, taken_minor), owed - settled)
    provider = await world.get("/providers/mekong")
    assert provider["float_minor"] == 900_000 - 2 * 96_000 - taken_minor
    await world.proofs()

    # As the judge sees it, who also sees what was booked twice.
    found = await read_charges(owner), await read_charged_lines(owner)
    assert charges_are_booked_once(*found).evidence == ()
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            """
            UPDATE payments.transfer
            SET posted_at = posted_at + interval '1 hour',
                code = CASE code WHEN 'charges_taken' THEN 'statement_charged' ELSE code END
            WHERE approval_id IN (SELECT id FROM payments.approval WHERE kind = 'difference')
            """
        )
        twice = charges_are_booked_once(*found[:1], await read_charged_lines(owner)).evidence
        assert any("were booked and owed before" in line for line in twice), twice


PAYMENTS = st.lists(
    st.tuples(st.integers(1, 200_000), st.sampled_from(["paid", "less", "rejected"])),
    min_size=1,
    max_size=6,
)


async def test_charges_are_of_what_was_really_paid_to_the_last_riel(
    world: World, steps: Steps
) -> None:
    await world.fund(10**9, prefund_minor=400_000_000)
    loop = asyncio.get_running_loop()
    expected: Counter[str] = Counter()

    async def play(payments: list[tuple[int, str]]) -> None:
        owed = [
            entitlement
            for minor, _ in payments
            for entitlement in entitlements(1, provider="mekong", amount_minor=minor)
        ]
        await world.registry.announce(owed)
        await steps.raise_announced()
        ends = dict(payments)
        answers = []
        for order in await steps.claim():
            minor, end = order.money.amount_minor, ends[order.money.amount_minor]
            if end == "rejected":
                answers.append((order.instruction_id, REJECTED))
            elif end == "less" and minor > 1:
                answers.append(
                    (order.instruction_id, paid(order.instruction_id, amount_minor=minor - 1))
                )
            else:
                answers.append(
                    (order.instruction_id, paid(order.instruction_id, amount_minor=minor))
                )
                expected["charged"] += charge_of(minor)
        await steps.hear(answers)
        for instruction_id, answer in answers:
            shown = await world.get(f"/instructions/{instruction_id}")
            if shown["status"] == "held":
                assert answer.amount_minor is not None
                body = {"paid_minor": answer.amount_minor}
                await world.resolve(instruction_id, "settled", **body)
                while await steps.step("resolve"):
                    pass
                expected["charged"] += charge_of(answer.amount_minor)
        assert await charges(world) == (expected["charged"], expected["charged"])
        await world.proofs()

    @given(PAYMENTS)
    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(payments: list[tuple[int, str]]) -> None:
        asyncio.run_coroutine_threadsafe(play(payments), loop).result()

    await asyncio.to_thread(run)
    assert expected["charged"]


FEE = {"amount_minor": 700, "paid_from": "float", "reference": "MK-FEE"}


async def test_a_charge_that_was_booked_before_its_statement_came_is_that_line(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await mapped(world)
    await world.post("/providers/mekong/charges", FEE)
    fee, other = Line(None, 700, "MK-FEE", "charge"), Line(None, 701, "MK-FEE", "charge")
    deposit = Line(None, 900_000, "test", "deposit")
    await send(world, written([deposit, fee]))
    assert await open_differences(world) == []
    [known] = (await world.get("/differences", status="closed"))["items"]
    assert (known["kind"], known["closure"]) == ("unknown_payment", "explained")
    # A second one is nobody's yet, and so is one of another amount.
    await send(world, written([deposit, fee, fee, other]))
    found = {(each["kind"], each["statement_minor"]) for each in await open_differences(world)}
    assert found == {("unknown_payment", 700), ("unknown_payment", 701)}
    assert (await world.get("/providers/mekong"))["float_minor"] == 900_000 - 2 * 700 - 701
    # Corrected, the day has one charge, and the books show one.
    await send(world, written([deposit, fee]) + "\n")
    assert await open_differences(world) == []
    assert (await world.get("/providers/mekong"))["float_minor"] == 900_000 - 700
    await world.proofs()


async def test_a_charge_that_a_statement_showed_is_not_booked_again(
    world: World, steps: Steps
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await mapped(world)
    waiting = await world.propose("/providers/mekong/charges", FEE)
    lines = [Line(None, 900_000, "test", "deposit"), Line(None, 700, "MK-FEE", "charge")]
    await send(world, written(lines))
    [difference] = await open_differences(world)
    way = f"POST /v1/differences/{difference['number']}/resolution"
    refused = await world.post("/providers/mekong/charges", FEE, status=409)
    assert way in refused["detail"]
    # What was proposed before it came is looked at once more.
    assert way in (await world.approve(waiting["id"], status=409))["detail"]
    letter = {"outcome": "charged", "reason": "By the provider's letter."}
    await world.post(f"/differences/{difference['number']}/resolution", letter)
    refused = await world.post("/providers/mekong/charges", FEE, status=409)
    assert "It was decided on" in refused["detail"]
    assert (await world.get("/providers/mekong"))["float_minor"] == 900_000 - 700
    # From the treasury nothing leaves the float.
    await world.propose("/providers/mekong/charges", {**FEE, "paid_from": "treasury"})
    await world.proofs()


async def test_a_charge_that_is_booked_a_day_later_agrees_with_the_balance(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(2_000_000, prefund_minor=900_000)
    await mapped(world)
    await world.post("/providers/mekong/charges", FEE)
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE payments.transfer SET posted_at = posted_at + interval '1 day' "
            "WHERE code = 'charges_taken'"
        )
        await owner.execute(
            "UPDATE payments.approval SET decided_at = decided_at + interval '1 day' "
            "WHERE kind = 'charges'"
        )
    fee = Line(None, 700, "MK-FEE", "charge")
    await send(world, written([Line(None, 900_000, "test", "deposit"), fee]))
    assert await open_differences(world) == []
