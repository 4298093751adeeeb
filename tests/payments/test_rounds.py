"""A round is released whole or not at all."""

from dataclasses import replace

import pytest

from services.payments.amounts import readable
from services.payments.rounds.releasing import judge
from services.payments.rounds.repository import GatheredRound
from services.payments.rounds.states import RoundStatus
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
    [mekong, tonle] = (await world.get("/providers"))["items"]
    assert (mekong["waiting_count"], mekong["waiting_minor"]) == (2, 192_000)
    assert (mekong["waiting_for_fund_count"], mekong["waiting_for_fund_minor"]) == (2, 192_000)
    assert (tonle["waiting_count"], tonle["waiting_for_fund_count"]) == (1, 1)
    await world.fund(88_000)
    await steps.raise_announced()
    [released] = (await world.get("/rounds"))["items"]
    assert (released["status"], released["reserved_minor"]) == ("released", 288_000)
    assert released["reason"] is None
    [mekong, _] = (await world.get("/providers"))["items"]
    assert (mekong["waiting_count"], mekong["waiting_for_fund_count"]) == (2, 0)
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
    # What is refused waits for nothing.
    assert {item["waiting_count"] for item in (await world.get("/providers"))["items"]} == {0}
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
    assert "decided without it" in (await world.chunk(late))["reason"]
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


GATHERED = GatheredRound(
    number=1,
    status=RoundStatus.GATHERING,
    activation_id=new_id(),
    scheme="flood",
    round=1,
    fund="relief",
    currency="KHR",
    budget_line=None,
    chunk_count=1,
    entitlement_count=1_000,
    total_minor=77_270_000,
    chunks=1,
    entitlements=1_000,
    announced_minor=77_270_000,
    raised_minor=77_270_000,
    raised_count=1_000,
    largest_minor=96_000,
    fund_currency="KHR",
    available_minor=10_000_000,
    line_room_minor=None,
)


def test_a_shortage_is_told_in_amounts_that_people_read() -> None:
    status, reason = judge(GATHERED)
    assert status is RoundStatus.UNFUNDED
    assert reason == (
        "The round needs 77,270,000 KHR and fund relief has 10,000,000 KHR available. Nothing is "
        "sent until a deposit covers all of it."
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"available_minor": 77_270_000}, RoundStatus.RELEASED),
        ({"available_minor": 77_269_999}, RoundStatus.UNFUNDED),
        ({"available_minor": None, "fund_currency": None}, RoundStatus.UNFUNDED),
        ({"available_minor": 99_000_000, "fund_currency": "USD"}, RoundStatus.UNFUNDED),
        ({"raised_minor": 0, "available_minor": None}, RoundStatus.RELEASED),
        (
            {"available_minor": 99_000_000, "budget_line": "floods"},
            RoundStatus.UNFUNDED,
        ),
        (
            {
                "available_minor": 99_000_000,
                "budget_line": "floods",
                "line_room_minor": 77_269_999,
            },
            RoundStatus.UNFUNDED,
        ),
        (
            {
                "available_minor": 99_000_000,
                "budget_line": "floods",
                "line_room_minor": 77_270_000,
            },
            RoundStatus.RELEASED,
        ),
        ({"chunks": 2, "available_minor": 99_000_000}, RoundStatus.REFUSED),
    ],
)
def test_a_round_goes_where_its_sums_and_its_fund_let_it(
    changes: dict[str, object], status: RoundStatus
) -> None:
    assert judge(replace(GATHERED, **changes))[0] is status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (77_270_000, "KHR", "77,270,000 KHR"),
        (0, "KHR", "0 KHR"),
        (123_450, "USD", "1,234.50 USD"),
        (10**15, "KHR", "1,000,000,000,000,000 KHR"),
        (123_450, "EUR", "123,450 minor units of EUR"),
        (1, None, "1 minor units of no currency"),
    ],
)
def test_an_amount_is_read_with_its_currency(
    amount_minor: int, currency: str | None, text: str
) -> None:
    assert readable(amount_minor, currency) == text
