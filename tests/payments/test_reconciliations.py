"""The report of a provider and day says that everything matches, or exactly what does not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from services.payments.reconciliation.kinds import DifferenceKind
from services.payments.reports.wording import kind_of, way_of
from shared.clock import set_clock
from tests.conftest import NOON
from tests.payments.conftest import World
from tests.payments.statement_files import (
    DAY,
    Line,
    lines_of,
    mapped,
    open_differences,
    ordered,
    send,
    written,
)
from tests.payments.steps import SILENCE, Steps, paid

FUNDED = Line(None, 5_000_000, "test", "deposit")
OF_THE_DAY = {"provider": "mekong", "day": DAY}


async def test_a_day_that_agrees_says_that_everything_matches(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 3)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    before = await world.get("/reconciliations", **OF_THE_DAY)
    assert (before["everything_matches"], before["statement"]) == (False, None)
    assert (before["paid_count"], before["paid_minor"]) == (3, 288_000)
    assert "No statement" in before["verdict"]

    taken = await send(world, written([FUNDED, *lines_of(orders)]))
    report = await world.get("/reconciliations", **OF_THE_DAY)
    assert report["everything_matches"] is True
    assert report["verdict"] == "Everything matches."
    assert report["statement"] == taken
    assert (report["agreeing_count"], report["open"], report["differences"]) == (4, [], [])
    assert report["balances"] == {
        "closing_before_minor": None,
        "opening_minor": 0,
        "net_minor": 4_712_000,
        "closing_minor": 4_712_000,
        "float_minor": 4_712_000,
        "in_transit_minor": 0,
        "told_later_minor": 0,
        "expected_minor": 4_712_000,
    }
    nobody = await world.client.get("/reconciliations", params={**OF_THE_DAY, "provider": "no"})
    assert nobody.status_code == 404


async def test_what_does_not_match_is_listed_and_printed(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 2)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    half, right = lines_of(orders)
    lines = [FUNDED, replace(half, amount_minor=48_000), right, Line(None, 50, "<b>MK&co</b>")]
    first = await send(world, written([FUNDED]))
    await send(world, written(lines) + "cut,off\n")
    report = await world.get("/reconciliations", **OF_THE_DAY)
    assert report["everything_matches"] is False
    assert report["verdict"] == "3 differences are open. 1 line is set aside."
    assert {
        (kind["kind"], kind["count"], kind["statement_minor"], kind["ledger_minor"])
        for kind in report["open"]
    } == {
        ("other_amount", 1, 48_000, 96_000),
        ("unknown_payment", 1, 50, 0),
        ("float_differs", 1, 4_855_950, 4_807_950),
    }
    assert [found["line"] for found in report["differences"]] == [3, 5, None]
    assert [line["line"] for line in report["set_aside"]] == [6]
    assert [earlier["id"] for earlier in report["superseded"]] == [first["id"]]
    assert report["agreeing_count"] == 2

    page = await world.client.get("/reconciliations/page", params=OF_THE_DAY)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "&lt;b&gt;MK&amp;co&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert "3 differences are open." in page.text
    assert "48,000 KHR" in page.text
    assert '<html lang="en">' in page.text

    khmer = await world.client.get("/reconciliations/page", params={**OF_THE_DAY, "language": "km"})
    assert khmer.status_code == 200
    assert '<html lang="km">' in khmer.text
    assert "ភាពខុសគ្នា ៣ មិនទាន់ដោះស្រាយ។ បន្ទាត់ ១ ត្រូវបានទុកដោយឡែក។" in khmer.text
    assert "៤៨,០០០ រៀល" in khmer.text
    assert "&lt;b&gt;MK&amp;co&lt;/b&gt;" in khmer.text
    assert "differences are open" not in khmer.text
    # What is looked up, or sent to the API, stays as it is.
    for kept in (report["statement"]["id"], "other_amount", "POST /v1/differences"):
        assert kept in khmer.text
    french = await world.client.get(
        "/reconciliations/page", params={**OF_THE_DAY, "language": "fr"}
    )
    assert french.status_code == 422


def test_every_kind_of_difference_is_told_in_both_languages() -> None:
    for kind in DifferenceKind:
        assert kind_of(kind).en == kind.value
        assert _is_khmer(kind_of(kind).km)
        assert _is_khmer(way_of(kind).km)
        assert not _is_khmer(way_of(kind).en)


def _is_khmer(text: str) -> bool:
    return any("\u1780" <= character <= "\u17ff" for character in text)


async def test_what_two_persons_ended_is_told_with_both_and_their_reason(world: World) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    await send(world, written([FUNDED, Line(None, 5_000, "MK-FEE", "charge")]))
    [fee] = await open_differences(world)
    proposed = await world.post(
        f"/differences/{fee['number']}/resolution",
        {"outcome": "charged", "reason": "Its fee, by the <invoice>."},
    )
    report = await world.get("/reconciliations", **OF_THE_DAY)
    assert report["verdict"] == "Everything matches. 1 difference is resolved by two persons."
    [ended] = report["resolved"]
    assert (ended["number"], ended["kind"], ended["reference"], ended["statement_minor"]) == (
        fee["number"],
        "unknown_payment",
        "MK-FEE",
        5_000,
    )
    assert ended["what"].startswith("Record 5,000 KHR as charged or lost by mekong")
    assert ended["reason"] == "Its fee, by the <invoice>."
    assert len({ended["proposed_by"], ended["approved_by"], proposed["assigned_to"]}) == 3
    page = (await world.client.get("/reconciliations/page", params=OF_THE_DAY)).text
    for words in ("Ended by two persons", ended["proposed_by"], ended["approved_by"], "&lt;inv"):
        assert words in page


async def test_a_balance_is_held_against_the_day_before_the_lines_and_the_float(
    world: World, steps: Steps, clock_file: Path
) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    [order] = await ordered(world, steps, 1)
    await steps.hear([(order.instruction_id, SILENCE)])
    # In transit when the day ended, and paid by the statement: both sides agree on what is left.
    set_clock(clock_file, NOON + timedelta(days=1))
    await send(world, written([FUNDED, *lines_of([order])]))
    await steps.step("follow-statements")
    report = await world.get("/reconciliations", **OF_THE_DAY)
    assert report["verdict"] == "Everything matches."
    assert report["balances"]["in_transit_minor"] == 96_000
    assert report["balances"]["told_later_minor"] == 96_000

    tomorrow = {"provider": "mekong", "day": "2026-01-06"}
    late = Line(None, 10, "MK-1", "charge", at=NOON + timedelta(days=1))
    await send(world, written([late], opening_minor=4_904_001), day="2026-01-06")
    report = await world.get("/reconciliations", **tomorrow)
    found = {
        each["kind"]: (each["statement_minor"], each["ledger_minor"])
        for each in report["differences"]
    }
    assert found == {
        "unknown_payment": (10, None),
        "opening_differs": (4_904_001, 4_904_000),
        "float_differs": (4_903_991, 4_903_990),
    }
    # A line is missing between two others: the lines do not lead from the first to the last.
    rows = written(
        [late, replace(late, reference="MK-2"), replace(late, reference="MK-3")],
        opening_minor=4_904_000,
    ).splitlines()
    await send(world, "\n".join([*rows[:2], rows[3]]), day="2026-01-06")
    report = await world.get("/reconciliations", **tomorrow)
    found = {
        each["kind"]: (each["statement_minor"], each["ledger_minor"])
        for each in report["differences"]
        if "differs" in each["kind"]
    }
    assert found == {
        "closing_differs": (4_903_970, 4_903_980),
        "float_differs": (4_903_970, 4_903_980),
    }
    # The whole file, in whatever order its lines are.
    await send(world, "\n".join([rows[0], rows[3], rows[1], rows[2]]), day="2026-01-06")
    report = await world.get("/reconciliations", **tomorrow)
    assert {each["kind"] for each in report["differences"]} == {"unknown_payment"}
    await world.proofs()
