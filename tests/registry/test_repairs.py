"""What was not paid is announced again: to the account of now, and never beside what stands."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.registry.worker import create_worker
from tests.hearing import hear
from tests.registry.flow import BATTAMBANG, PURSAT, Flow, proposes, rows
from tests.registry.paying import Announced, Payments
from tests.server import eventually

AFTER_31_DAYS = datetime(2026, 2, 5, 5, tzinfo=UTC)
WITHOUT: dict[str, Any] = {"provider_code": "", "account": ""}


async def repair(flow: Flow, activation_id: UUID, **body: object) -> httpx.Response:
    """Propose it, and have the second person approve; what the last of the two was answered."""
    answer = await flow.client.post(
        f"/activations/{activation_id}/repairs",
        json={"round": 1, "reason": "Accounts were mended."} | body,
        headers=flow.key(),
    )
    return await flow.decided(answer) if proposes(answer) else answer


async def repaired(flow: Flow, activation_id: UUID, *, runs: int = 2, **body: object) -> Announced:
    """The one chunk of a repair, once it is announced."""
    answer = await repair(flow, activation_id, **body)
    assert answer.status_code == 200, answer.text
    run_id = answer.json()["outcome"].rpartition("/")[2]
    await flow.worked(activation_id, runs=runs)
    (chunk,) = [
        chunk
        for chunk in await flow.chunks(activation_id)
        if chunk["enrolment_run_id"] == run_id and chunk["status"] != "empty"
    ]
    return await Announced.of(flow, activation_id, chunk["id"])


async def preview(flow: Flow, activation_id: UUID) -> tuple[int, int, int]:
    """How many could be repaired, could with the account that they have, and have none."""
    found = await flow.get(f"/activations/{activation_id}/repairs/preview", round=1)
    return (
        found["repairable_count"],
        found["same_account_count"],
        found["without_account_count"],
    )


async def mend(flow: Flow, household_id: str, account: str = "+85599999999") -> None:
    await flow.change_account(household_id, provider="tonle", account=account)


async def progress(flow: Flow, activation_id: UUID) -> dict[str, int]:
    """An activation's counts that are not zero."""
    shown = (await flow.get(f"/activations/{activation_id}"))["progress"]
    return {
        name: shown[f"{name}_count"]
        for name in ("payable", "unpayable", "paid", "failed", "refused", "waiting")
        if shown[f"{name}_count"]
    }


async def test_a_failed_payment_is_announced_again_to_the_account_of_now(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    before = await flow.chunk_rows(announced.chunk_id)
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled")
    assert await preview(flow, activation_id) == (0, 1, 0)
    # The account that failed is not tried again unless that is asked for.
    nobody = await repair(flow, activation_id)
    assert nobody.status_code == 409
    assert "`same_account` tries that once more" in nobody.json()["detail"]

    await mend(flow, before[1][1])
    assert await preview(flow, activation_id) == (1, 0, 0)
    again = await repaired(flow, activation_id)
    (row,) = await flow.chunk_rows(again.chunk_id)
    assert row[:5] == before[1][:5]
    assert (row[5], row[7]) == ("tonle", "2")
    assert await flow.chunk_rows_in_binary(again.chunk_id) == [row]
    # What was announced first is fetched as it was.
    assert await flow.chunk_rows(announced.chunk_id) == before
    assert {row[7] for row in before} == {"1"}
    ready = (await flow.events("entitlements-ready"))[-1]
    assert (ready["chunk_id"], ready["count"]) == (again.chunk_id, 1)
    assert ready["total_minor"] == int(row[3])
    completed = (await flow.events("enrolment-completed"))[-1]
    assert completed["enrolment_id"] == ready["enrolment_id"]
    assert (completed["chunk_count"], completed["entitlements"]) == (1, 1)
    assert (completed["total_minor"], completed["unpayable"]) == (int(row[3]), 0)
    assert await progress(flow, activation_id) == {"payable": 3, "paid": 2, "waiting": 1}

    await again.settle(payments, "paid,")
    await again.reaches(status="settled", paid_count=1)
    assert await progress(flow, activation_id) == {"payable": 3, "paid": 3}
    activation = await flow.get(f"/activations/{activation_id}")
    assert activation["progress"]["households_enrolled"] == 3
    assert activation["progress"]["payable_minor"] == sum(int(row[3]) for row in before)
    opening, repair_run = activation["runs"]
    assert (opening["repair"], repair_run["kind"]) == (None, "repair")
    assert repair_run["repair"]["reason"] == "Accounts were mended."
    assert repair_run["repair"]["requested_by"] == "officer@test"
    (round_1, *_) = await flow.get(f"/activations/{activation_id}/rounds")
    assert (round_1["status"], round_1["paid_count"], round_1["payable_count"]) == (
        "finished",
        3,
        3,
    )


async def test_an_entitlement_shows_each_time_that_it_was_announced(
    announced: Announced, payments: Payments
) -> None:
    flow = announced.flow
    (only,) = (await announced.entitlement(0))["announcements"]
    assert (only["number"], only["chunk_id"]) == (1, announced.chunk_id)
    assert (only["status"], only["provider_code"], only["why"]) == ("ready", "mekong", None)
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled")
    await mend(flow, (await announced.entitlement(1))["household_id"])
    again = await repaired(flow, announced.activation_id)
    await again.settle(payments, "failed,closed")
    await again.reaches(status="settled", failed_count=1)
    last = await repaired(flow, announced.activation_id, runs=3, same_account=True)
    await last.settle(payments, "paid,")
    await last.reaches(status="settled", paid_count=1)
    owed = await announced.entitlement(1)
    assert (owed["status"], owed["reason"], owed["chunk_id"]) == ("paid", None, announced.chunk_id)
    assert [
        (told["number"], told["chunk_id"], told["status"], told["reason"], told["provider_code"])
        for told in owed["announcements"]
    ] == [
        (1, announced.chunk_id, "failed", "accountNotFound", "mekong"),
        (2, again.chunk_id, "failed", "closed", "tonle"),
        (3, last.chunk_id, "paid", None, "tonle"),
    ]
    assert [told["why"] for told in owed["announcements"]] == [
        None,
        "Accounts were mended.",
        "Accounts were mended.",
    ]
    # A repair's chunk says what it announced came to, its home where the entitlement stands.
    assert (await again.chunk())["failed_count"] == 1
    assert (await announced.chunk())["paid_count"] == 3


async def test_everyone_of_a_round_who_has_an_account_now_is_paid(
    working: Flow, payments: Payments
) -> None:
    await working.register(
        [
            *rows(3),
            *rows(2, begin=10, **WITHOUT),
            *rows(2, begin=20, commune="150101", **WITHOUT),
            *rows(1, begin=30, commune="150102", **WITHOUT),
        ]
    )
    activation_id = await working.open(BATTAMBANG, PURSAT)
    await working.worked(activation_id)
    assert await preview(working, activation_id) == (0, 0, 5)
    await working.register([*rows(2, begin=10), *rows(1, begin=20, commune="150101")])
    assert await preview(working, activation_id) == (3, 0, 2)
    body = {"round": 1, "reason": "Who has an account now."}
    made = await working.post(f"/activations/{activation_id}/repairs", body)
    assert (made["chunks_planned"], made["requested_by"]) == (2, "officer@test")
    await working.worked(activation_id, runs=2)
    chunks = [chunk for chunk in await working.chunks(activation_id) if chunk["home_chunk_id"]]
    fetched = [row for chunk in chunks for row in await working.chunk_rows(chunk["id"])]
    assert len({row[1] for row in fetched}) == len(fetched) == 3
    # Never announced before: this is the first time.
    assert {row[7] for row in fetched} == {"1"}
    assert await progress(working, activation_id) == {"payable": 6, "unpayable": 2, "waiting": 6}
    for chunk in chunks:
        again = await Announced.of(working, activation_id, chunk["id"])
        await again.settle(payments, *["paid,"] * len(again.entitlements))
        await again.reaches(status="settled")
    assert await progress(working, activation_id) == {
        "payable": 6,
        "unpayable": 2,
        "paid": 3,
        "waiting": 3,
    }
    owed = await working.get(f"/entitlements/{fetched[0][0]}")
    assert [told["number"] for told in owed["announcements"]] == [1]
    assert await preview(working, activation_id) == (0, 0, 2)
    assert (await repair(working, activation_id)).status_code == 409


async def test_a_repair_that_the_registry_lost_announces_under_the_same_ids(
    working: Flow, run_worker: Callable[[str], Any]
) -> None:
    await working.register(rows(2, provider_code="", account=""))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    await working.register(rows(2))
    first = await repaired(working, activation_id)
    before = await working.chunk_rows(first.chunk_id)
    await working.owner.execute(
        "DELETE FROM registry.announcement; DELETE FROM registry.repair;"
        "DELETE FROM registry.entitlement_chunk WHERE home_chunk_id IS NOT NULL;"
        "DELETE FROM registry.enrolment_run WHERE kind = 'repair';"
        "UPDATE registry.entitlement SET status = 'unpayable', reason = 'no-payee-account';"
        "UPDATE registry.entitlement_chunk SET unpayable_count = 2, payable_count = 0"
    )
    again = await repaired(working, activation_id)
    assert again.chunk_id == first.chunk_id
    assert await working.chunk_rows(again.chunk_id) == before


async def test_only_the_named_households_or_the_named_chunk_are_repaired(
    working: Flow, payments: Payments
) -> None:
    await working.register([*rows(3), *rows(3, commune="150101")])
    activation_id = await working.open(BATTAMBANG, PURSAT)
    await working.worked(activation_id)
    homes = [
        await Announced.of(working, activation_id, chunk["id"])
        for chunk in await working.chunks(activation_id)
    ]
    households = []
    for home in homes:
        await home.settle(payments, "failed,x", "failed,x", "failed,x")
        await home.reaches(status="settled")
        households.append([row[1] for row in await working.chunk_rows(home.chunk_id)])
    named = await repaired(
        working, activation_id, household_ids=[households[0][1]], same_account=True
    )
    assert [row[1] for row in await working.chunk_rows(named.chunk_id)] == [households[0][1]]
    assert (await named.chunk())["home_chunk_id"] == homes[0].chunk_id
    of_chunk = await repaired(
        working, activation_id, runs=3, chunk_id=homes[1].chunk_id, same_account=True
    )
    assert sorted(row[1] for row in await working.chunk_rows(of_chunk.chunk_id)) == sorted(
        households[1]
    )
    rest = await repaired(working, activation_id, runs=4, same_account=True)
    assert {row[1] for row in await working.chunk_rows(rest.chunk_id)} == {
        households[0][0],
        households[0][2],
    }


async def test_what_is_on_its_way_or_paid_is_never_announced_beside(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    for household in [row[1] for row in await flow.chunk_rows(announced.chunk_id)]:
        await mend(flow, household)
    # All three are on their way.
    assert (await repair(flow, activation_id, same_account=True)).status_code == 409
    await announced.settle(payments, "paid,", "failed,x", "paid,")
    await announced.reaches(status="settled")
    answers = await asyncio.gather(*(repair(flow, activation_id) for _ in range(3)))
    planned = [answer for answer in answers if answer.status_code == 200]
    assert planned
    await flow.worked(activation_id, runs=1 + len(planned))
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.announcement") == 2
    statuses = [chunk["status"] for chunk in await flow.chunks(activation_id)]
    assert sorted(statuses) == sorted(["settled", "announced", *["empty"] * (len(planned) - 1)])
    # The database refuses it as well.
    for status in ("ready", "paid"):
        with pytest.raises(asyncpg.UniqueViolationError, match="announcement_standing_unique"):
            await flow.owner.execute(
                "INSERT INTO registry.announcement (entitlement_id, number, chunk_id, "
                "payee_account_id, status) SELECT entitlement_id, 9, chunk_id, payee_account_id, "
                "$1 FROM registry.announcement WHERE number = 2",
                status,
            )


async def test_a_repair_of_what_does_not_fit_is_a_conflict_in_words(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    await announced.settle(payments, "failed,x", "failed,x", "paid,")
    await announced.reaches(status="settled")
    early = await repair(flow, activation_id, round=2)
    assert early.status_code == 409
    assert "Round 2 is not released" in early.json()["detail"]
    assert (await repair(flow, UUID(int=5))).status_code == 404
    strangers = await repair(flow, activation_id, household_ids=[str(UUID(int=7))])
    assert strangers.status_code == 409
    assert "1 of the 1 households named have no entitlement" in strangers.json()["detail"]
    elsewhere = await repair(flow, activation_id, chunk_id=str(UUID(int=7)))
    assert elsewhere.status_code == 404
    both = await repair(
        flow, activation_id, chunk_id=announced.chunk_id, household_ids=[str(UUID(int=7))]
    )
    assert both.status_code == 422
    assert (await repair(flow, activation_id, reason="no\0thing")).status_code == 422
    again = await repaired(flow, activation_id, same_account=True)
    of_repair = await repair(flow, activation_id, chunk_id=again.chunk_id)
    assert of_repair.status_code == 409
    assert announced.chunk_id in of_repair.json()["detail"]


async def test_a_late_success_of_the_first_announcement_is_told_and_counted_once(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    await announced.settle(payments, "paid,", "failed,timeout", "paid,")
    await announced.reaches(status="settled")
    again = await repaired(flow, activation_id, same_account=True)
    await announced.settle(payments, "paid,", "paid,", "paid,")
    await announced.reaches(status="settled", paid_count=3)
    owed = await announced.entitlement(1)
    assert owed["status"] == "paid"
    assert [told["status"] for told in owed["announcements"]] == ["paid", "failed"]
    # Payments sets the other aside, for it never sends beside what is paid.
    await again.settle(payments, "unpayable,already-paid")
    await again.reaches(status="settled", unpayable_count=1)
    owed = await announced.entitlement(1)
    assert (owed["status"], owed["reason"]) == ("paid", None)
    assert await progress(flow, activation_id) == {"payable": 3, "paid": 3}
    # And should that money come back, it can be repaired like anything else.
    await announced.settle(payments, "paid,", "failed,returned", "paid,")
    await announced.reaches(status="settled", paid_count=2, unpayable_count=1)
    assert await preview(flow, activation_id) == (0, 1, 0)


async def test_what_a_settled_chunk_left_out_can_be_repaired(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    await announced.settle(payments, "paid,", "", "paid,")
    await announced.reaches(status="settling", paid_count=2)
    assert await preview(flow, activation_id) == (1, 0, 0)
    again = await repaired(flow, activation_id)
    assert again.entitlements == [announced.entitlements[1]]
    # The chunk that left it out waits for nothing any more.
    await announced.reaches(status="settled", last_error=None)
    first, second = (await announced.entitlement(1))["announcements"]
    assert (first["status"], first["reason"]) == ("unpayable", "no-outcome")
    assert second["status"] == "ready"
    # What the repair itself leaves out can be repaired in turn.
    await again.settle(payments, "")
    await again.reaches(status="settling")

    async def seen() -> bool:
        return await preview(flow, activation_id) == (1, 0, 0)

    await eventually(seen)
    last = await repaired(flow, activation_id, runs=3)
    await again.reaches(status="settled")
    await last.settle(payments, "paid,")
    await last.reaches(status="settled")
    assert await progress(flow, activation_id) == {"payable": 3, "paid": 3}


async def test_a_later_round_is_planned_from_whom_round_1_enrolled_and_not_from_repairs(
    working: Flow, payments: Payments
) -> None:
    await working.register([*rows(2), *rows(1, begin=9, provider_code="", account="")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    await working.register(rows(1, begin=9))
    await repaired(working, activation_id)
    working.set_clock(AFTER_31_DAYS)
    await working.post(f"/activations/{activation_id}/rounds/2/release")
    activation = await working.worked(activation_id, runs=3)
    assert [run["kind"] for run in activation["runs"]] == ["opening", "repair", "round"]
    rounds = await working.get(f"/activations/{activation_id}/rounds")
    assert [(shown["payable_count"], shown["chunks_planned"]) for shown in rounds[:2]] == [
        (3, 1),
        (3, 1),
    ]
    # A later round is repaired as the first one is.
    chunk = (await working.chunks(activation_id))[-1]
    second = await Announced.of(working, activation_id, chunk["id"])
    await second.settle(payments, "failed,x", "failed,x", "paid,")
    await second.reaches(status="settled", failed_count=2)
    again = await repaired(working, activation_id, runs=4, round=2, same_account=True)
    assert sorted(again.entitlements) == sorted(second.entitlements[:2])
    assert (await again.chunk())["round"] == 2


async def test_a_refused_chunk_is_repaired_or_announced_again_and_never_both(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    await announced.refuse()
    await announced.reaches(status="refused", refused_count=3)
    assert await progress(flow, activation_id) == {"payable": 3, "refused": 3}
    # Nobody tried their accounts.
    assert await preview(flow, activation_id) == (3, 0, 0)
    household_id = (await announced.entitlement(0))["household_id"]
    again = await repaired(flow, activation_id, household_ids=[household_id])
    assert await progress(flow, activation_id) == {"payable": 3, "refused": 2, "waiting": 1}
    refused = await flow.client.post(
        f"/entitlement-chunks/{announced.chunk_id}/reannouncement",
        json={"reason": "It was the network."},
        headers=flow.key(),
    )
    assert refused.status_code == 409
    assert "1 of the chunk's entitlements were announced again" in refused.json()["detail"]
    # Payments refuses the repair's chunk, too; that one alone can be announced once more.
    await again.refuse("sum differs")
    await again.reaches(status="refused", refused_count=1)
    assert await progress(flow, activation_id) == {"payable": 3, "refused": 3}
    await flow.post(f"/entitlement-chunks/{again.chunk_id}/reannouncement", {"reason": "again"})
    await again.reaches(status="announced", refused_count=0)
    assert await progress(flow, activation_id) == {"payable": 3, "refused": 2, "waiting": 1}


async def test_a_refused_chunk_is_announced_once_more_in_the_same_words(
    announced: Announced, payments: Payments
) -> None:
    flow = announced.flow
    before = await flow.chunk_rows(announced.chunk_id)
    await announced.refuse()
    await announced.reaches(status="refused")
    path = f"/entitlement-chunks/{announced.chunk_id}/reannouncement"
    key = flow.key()
    body = {"reason": "It was the network."}
    for _ in range(2):
        answer = await flow.client.post(path, json=body, headers=key)
        assert answer.status_code == 201, answer.text
    assert answer.json()["refusal"] == "count differs"
    await announced.reaches(status="announced", refused_count=0, refusal=None)
    assert (await announced.entitlement(0))["status"] == "ready"
    for told in ("entitlements-ready", "enrolment-completed"):
        first, second = await flow.events(told)
        assert first == second
    assert await flow.chunk_rows(announced.chunk_id) == before
    await announced.settle(payments, "paid,", "paid,", "unpayable,no-amount")
    await announced.reaches(status="settled", paid_count=2, unpayable_count=1)
    # Of one that is settled payments says once more how it ended; nothing moves here.
    await flow.post(path, {"reason": "Payments was restored."})
    assert (await announced.chunk())["status"] == "settled"
    for told in ("entitlements-ready", "enrolment-completed"):
        first, *_, third = await flow.events(told)
        assert first == third
    kept = await flow.get(f"/entitlement-chunks/{announced.chunk_id}/reannouncements")
    assert [item["reason"] for item in kept["items"]] == [
        "It was the network.",
        "Payments was restored.",
    ]


async def test_what_was_never_announced_cannot_be_announced_once_more(working: Flow) -> None:
    await working.register(rows(1, provider_code="", account=""))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    (chunk,) = await working.chunks(activation_id)
    answer = await working.client.post(
        f"/entitlement-chunks/{chunk['id']}/reannouncement",
        json={"reason": "for nothing"},
        headers=working.key(),
    )
    assert answer.status_code == 409
    assert "nothing of it was announced" in answer.json()["detail"]


async def test_workers_side_by_side_repair_a_round_once(
    flow: Flow, run_worker: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_HOUSEHOLDS_PER_CHUNK", "20")
    await flow.post_scheme()
    communes = [f"0201{number:02}" for number in range(1, 7)]
    given = [row for code in communes for row in rows(15, commune=code)]
    without = [row for code in communes for row in rows(15, commune=code, **WITHOUT)]
    await flow.register(without)
    async with run_worker("registry"), run_worker("registry"), run_worker("registry"):
        activation_id = await flow.open(BATTAMBANG)
        await flow.worked(activation_id)
        await flow.register(given)
        planned = [
            answer
            for answer in await asyncio.gather(*(repair(flow, activation_id) for _ in range(3)))
            if answer.status_code == 200
        ]
        await flow.worked(activation_id, runs=1 + len(planned))
    chunks = [chunk for chunk in await flow.chunks(activation_id) if chunk["announced_count"]]
    fetched = [row for chunk in chunks for row in await flow.chunk_rows(chunk["id"])]
    assert len({row[0] for row in fetched}) == len(fetched) == 90
    assert await progress(flow, activation_id) == {"payable": 90, "waiting": 90}
    ready = await flow.events("entitlements-ready")
    assert sum(event["count"] for event in ready) == 90


async def test_nothing_of_a_cancelled_activation_is_announced_again(
    flow: Flow, run_worker: Callable[[str], Any]
) -> None:
    await flow.post_scheme()
    await flow.register(rows(2, **WITHOUT))
    async with run_worker("registry"):
        activation_id = await flow.open(BATTAMBANG)
        await flow.worked(activation_id)
        await flow.register(rows(2))
    assert (await repair(flow, activation_id)).status_code == 200
    # Planned before it was cancelled, and never worked.
    await flow.cancel(activation_id)
    worker = create_worker()
    await hear(worker, "registry")
    assert await worker.step("repairs") == 0
    await worker.close()
    (home, of_repair) = await flow.chunks(activation_id)
    assert (of_repair["status"], of_repair["home_chunk_id"]) == ("planned", home["id"])
    reannouncement = f"/entitlement-chunks/{home['id']}/reannouncement"
    for refused in (
        await repair(flow, activation_id),
        await flow.client.post(reannouncement, json={"reason": "Try."}, headers=flow.key()),
    ):
        assert refused.status_code == 409
        assert "cancelled on 2026-01-05" in refused.json()["detail"]
    assert await progress(flow, activation_id) == {"unpayable": 2}
