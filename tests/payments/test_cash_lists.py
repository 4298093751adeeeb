"""Cash by list: a list of a commune, results by two persons, and what is unclaimed comes back."""

import base64
import hashlib
from collections.abc import Callable
from uuid import UUID

import asyncpg

from services.payments.cash_lists.service import sheet_paper
from tests.payments.announcing import Entitlement
from tests.payments.cash import (
    COMMUNES,
    KEY,
    environment,
    filled,
    go_on,
    list_settings,
    listed,
    on_day,
    sheet,
    statuses,
    upload,
    uploaded,
)
from tests.payments.conftest import World
from tests.payments.steps import Steps
from tests.server import eventually

__all__ = ["environment", "list_settings", "on_day"]


async def test_lists_are_of_one_commune_each_numbered_and_signed(
    world: World, steps: Steps, owner: asyncpg.Connection, on_day: Callable[[int], None]
) -> None:
    lists = await listed(world, steps, owner, communes=COMMUNES * 3)
    assert sorted(each["area_code"] for each in lists) == sorted(COMMUNES)
    assert sorted(each["number"] for each in lists) == [1, 2, 3]
    for each in lists:
        assert (each["line_count"], each["open_count"], each["state"]) == (3, 3, "open")
        assert (each["made_on"], each["claim_by"], each["returns_on"]) == (
            "2022-10-12",
            "2022-10-22",
            "2022-10-27",
        )
        path = f"/cash-lists/{each['id']}/sheet.csv"
        content = (await world.client.get(path)).content
        assert content == (await world.client.get(path)).content
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
        KEY.public_key().verify(base64.b64decode(each["signature"]), content)
        rows = await sheet(world, each["id"])
        assert [row["number"] for row in rows] == ["1", "2", "3"]
        assert {row["list"] for row in rows} == {each["code"]}
        assert sum(int(row["amount"]) for row in rows) == each["total_minor"]
    assert await world.count("sending") == 9
    # What is on a list waits for its household: nobody has to look at it.
    on_day(3)
    await steps.step("watch")
    assert (await world.get("/unresolved/unknown_too_long"))["items"] == []
    assert (await world.get("/alarms"))["items"] == []
    await world.proofs()


async def test_results_hold_once_a_second_person_approves_them(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [made] = await listed(world, steps, owner)
    rows = await sheet(world, made["id"])
    content = filled(rows, {1: "paid", 2: "paid", 3: "moved-away"})
    [line, *_] = (await world.get(f"/cash-lists/{made['id']}/lines"))["items"]
    history = await world.get(f"/entitlements/{line['entitlement_id']}/history")
    assert history["said"]["en"].endswith(", until 22 October 2022.")
    printed = await world.client.get(f"/cash-lists/{made['id']}/sheet.pdf", timeout=60)
    assert printed.headers["content-type"] == "application/pdf"
    twice = await world.client.get(f"/cash-lists/{made['id']}/sheet.pdf", timeout=60)
    assert printed.content == twice.content
    taken = await uploaded(world, made["id"], content)
    assert (taken["status"], taken["new_count"], taken["set_aside_count"]) == ("waiting", 3, 0)
    await go_on(steps, owner, times=2)
    assert set((await statuses(world, made["id"])).values()) == {"sending"}
    own = await world.client.post(
        f"/approvals/{taken['id']}/approval", json={"reason": "My own papers."}
    )
    assert own.status_code in (403, 409)

    await world.approve(taken["id"])
    await go_on(steps, owner, times=2)
    assert await statuses(world, made["id"]) == {
        1: "settled",
        2: "settled",
        3: "rejected",
        4: "sending",
        5: "sending",
    }
    found = await world.get(f"/cash-lists/{made['id']}")
    assert (found["paid_count"], found["not_paid_count"], found["open_count"]) == (2, 1, 2)
    again = await uploaded(world, made["id"], content)
    assert again["id"] == taken["id"]

    # The file comes back with two more, and says again what it said.
    rest = filled(rows, {1: "paid", 2: "paid", 3: "moved-away", 4: "paid", 5: "refused"})
    last = await uploaded(world, made["id"], rest)
    assert (last["new_count"], last["repeated_count"]) == (2, 3)
    await world.approve(last["id"])
    await go_on(steps, owner, times=3)
    assert (await world.get(f"/cash-lists/{made['id']}"))["state"] == "done"
    [batch] = (await world.get("/batches"))["items"]
    assert (batch["status"], batch["provider_batch_id"]) == ("closed", made["code"])
    assert (await world.get("/alarms"))["items"] == []
    await world.proofs()


async def test_a_row_that_is_wrong_is_set_aside_and_its_neighbours_count(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [made] = await listed(world, steps, owner)
    issued = await sheet(world, made["id"])
    code, codes = made["code"], [row["code"] for row in issued]
    amount = f"{int(issued[0]['amount']):,}"
    heading = "list,number,code,amount,outcome,paid_on,reason,paper_reference"
    lines = [
        f'{code},១,{codes[0]},"{amount}",Paid,12/10/2022,,slip/7',
        f"{code},2,{codes[0]},,paid,2022-10-12,,",
        f"{code},3,,1,paid,2022-10-12,,",
        f"{code},4,,,paid,2022-10-13,,",
        f"{code},4,,,paid,yesterday,,",
        f"{code},5,,,not paid,,Sok Dara has moved,",
        f"{code},6,,,paid,2022-10-12,,",
        "000009-00000000,5,,,paid,2022-10-12,,",
        f"{code},5,,,perhaps,,,",
        f"{code},5,,,paid,2022-10-12,,Sok Dara",
        'x,"y',
        f"{code},5,,,,,,",
    ]
    taken = await uploaded(world, made["id"], "\n".join([heading, *lines]).encode())
    assert (taken["new_count"], taken["set_aside_count"]) == (1, 10)
    rows = (await world.get(f"/cash-lists/{made['id']}/results/{taken['id']}/rows"))["items"]
    assert [row["fault"] for row in rows] == [
        None,
        "other-code",
        "other-amount",
        "day-impossible",
        "day-unreadable",
        "reason-unreadable",
        "no-such-line",
        "other-list",
        "outcome-unreadable",
        "reference-unreadable",
        "not-a-row",
    ]
    assert "Sok" not in str(rows)
    assert rows[0]["paper_reference"] == "SLIP/7"
    await world.approve(taken["id"])
    await go_on(steps, owner, times=2)
    assert (await statuses(world, made["id"]))[1] == "settled"
    await world.proofs()


async def test_what_is_no_file_of_results_is_refused_whole(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [made] = await listed(world, steps, owner)
    for content in (b"", b"\xff\xfe\x00", b"number,number,outcome\n1,1,paid\n"):
        answer = await upload(world, made["id"], content)
        assert answer.status_code == 422
        assert "sheet.csv" in answer.json()["detail"]
    assert (await world.get(f"/cash-lists/{made['id']}/results"))["items"] == []


async def test_what_is_unclaimed_goes_back_to_its_fund_and_late_news_is_held(
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
    on_day: Callable[[int], None],
) -> None:
    [made] = await listed(world, steps, owner)
    available = (await world.get("/funds/relief"))["available_minor"]
    rows = await sheet(world, made["id"])
    first = await uploaded(world, made["id"], filled(rows, {1: "paid"}))
    await world.approve(first["id"])
    on_day(11)
    await go_on(steps, owner, times=2)
    found = await world.get(f"/cash-lists/{made['id']}")
    assert (found["state"], found["days_left"], found["unclaimed_count"]) == ("overdue", -1, 0)
    [alarm] = (await world.get("/alarms", status="open"))["items"]
    assert (alarm["kind"], alarm["provider"]) == ("cash_list_overdue", "mekong")

    # A result waits for its second person: nothing goes back, whatever the day.
    waiting = await uploaded(world, made["id"], filled(rows, {1: "paid", 2: "paid"}))
    on_day(15)
    await go_on(steps, owner, times=2)
    found = await world.get(f"/cash-lists/{made['id']}")
    assert (found["unclaimed_count"], found["waits_for_second_person"]) == (0, True)
    await world.approve(waiting["id"])
    await go_on(steps, owner, times=3)
    assert await statuses(world, made["id"]) == {
        1: "settled",
        2: "settled",
        3: "rejected",
        4: "rejected",
        5: "rejected",
    }
    found = await world.get(f"/cash-lists/{made['id']}")
    assert (found["state"], found["unclaimed_count"]) == ("done", 3)
    assert (await world.get("/alarms", status="open"))["items"] == []
    gone_back = (await world.get("/funds/relief"))["available_minor"] - available
    assert gone_back == found["unclaimed_minor"]

    late = await uploaded(world, made["id"], filled(rows, {3: "paid", 1: "refused"}))
    assert late["new_count"] == 2
    await world.approve(late["id"])
    await go_on(steps, owner, times=3)
    assert (await statuses(world, made["id"]))[3] == "held"
    alarms = (await world.get("/alarms", status="open"))["items"]
    assert sorted(alarm["kind"] for alarm in alarms) == ["contradiction", "late_success"]
    assert (await world.get("/funds/relief"))["available_minor"] - available < gone_back
    await world.proofs()


async def test_declined_results_may_come_again(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [made] = await listed(world, steps, owner)
    content = filled(await sheet(world, made["id"]), {1: "paid"})
    first = await uploaded(world, made["id"], content)
    async with world.checker() as checker:
        answer = await checker.post(
            f"/approvals/{first['id']}/refusal", json={"reason": "No thumbprint."}
        )
    assert answer.status_code == 200, answer.text
    second = await uploaded(world, made["id"], content)
    assert (second["id"] != first["id"], second["new_count"]) == (True, 1)
    await world.approve(second["id"])
    await go_on(steps, owner, times=2)
    assert (await statuses(world, made["id"]))[1] == "settled"
    await world.proofs()


async def test_the_worker_by_itself_makes_lists_records_results_and_gives_back(
    world: World, on_day: Callable[[int], None]
) -> None:
    await world.fund(100_000_000)
    owed = [Entitlement(account=f"card-{number}", area="020103") for number in range(3)]
    await world.registry.announce(owed)
    async with world.working():
        await world.until_count("sending", 3)

        async def listed_by_now() -> bool:
            return bool((await world.get("/cash-lists", area="020103"))["items"])

        await eventually(listed_by_now)
        [made] = (await world.get("/cash-lists", state="open", provider="mekong"))["items"]
        content = filled(await sheet(world, made["id"]), {1: "paid", 2: "deceased"})
        taken = await uploaded(world, made["id"], content)
        await world.approve(taken["id"])
        await world.until_count("settled", 1)
        await world.until_count("rejected", 1)
        on_day(15)
        await world.until_count("rejected", 2)
    assert (await world.get("/cash-lists", state="done"))["items"][0]["unclaimed_count"] == 1
    await world.proofs()


async def test_a_list_says_how_its_commune_is_called(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    world.registry.area_names = {"020103": ("Kantueu Pir", "កន្ទឺ២")}
    world.registry.known = set()
    lists = await listed(world, steps, owner, communes=("020103", "020103", "010201"))
    named, nameless = sorted(lists, key=lambda each: each["area_code"], reverse=True)
    assert (named["area_name_en"], named["area_name_km"]) == ("Kantueu Pir", "កន្ទឺ២")
    # Where the registry does not tell it, the code has to do.
    assert (nameless["area_name_en"], nameless["area_name_km"]) == (None, None)
    told = {}
    async with steps.wiring.database.reading() as session:
        for each in lists:
            paper = await sheet_paper(session, UUID(each["id"]), clock=steps.wiring.clock)
            [told[each["area_code"]]] = [said for what, said in paper.facts if what.en == "Commune"]
    assert (told["020103"].en, told["020103"].km) == ("Kantueu Pir (020103)", "កន្ទឺ២ (020103)")
    assert told["010201"].en == "010201"
    printed = await world.client.get(f"/cash-lists/{named['id']}/sheet.pdf", timeout=60)
    assert printed.content.startswith(b"%PDF")
    # What is printed of a list does not change, whatever the gazetteer says later.
    world.registry.area_names = {"020103": ("Elsewhere", "កន្លែងផ្សេង")}
    again = await world.client.get(f"/cash-lists/{named['id']}/sheet.pdf", timeout=60)
    assert again.content == printed.content
    assert world.registry.asked_names == ["020103"]


async def test_open_lists_are_not_looked_at_one_by_one_and_nothing_brought_is_missed(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    lists = await listed(world, steps, owner, communes=("020103", "010201"))
    await go_on(steps, owner, times=2)
    waits = (
        "SELECT id, next_action_at > now() + interval '12 hours' AS rests FROM payments.batch "
        "WHERE status = 'under_way'"
    )
    assert {row["rests"] for row in await owner.fetch(waits)} == {True}
    made = lists[0]
    rows = await sheet(world, made["id"])
    taken = await uploaded(world, made["id"], filled(rows, {1: "paid"}))
    await world.approve(taken["proposal"]["id"])
    # As if it was brought while the lane was at the list, and put it off after.
    await owner.execute("UPDATE payments.batch SET next_action_at = now() + interval '1 day'")
    await steps.step("batches-mekong")
    assert set((await statuses(world, made["id"])).values()) == {"sending"}
    await steps.step("return-unclaimed")
    woken = [row["id"] for row in await owner.fetch(waits) if not row["rests"]]
    assert woken == [UUID(made["id"])]
    await steps.step("batches-mekong")
    assert set((await statuses(world, made["id"])).values()) == {"settled"}
    await world.proofs()
