"""One household at a time: missed, enrolled late or by hand, kept out, admitted again, heard."""

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.ids import new_id
from tests.registry.flow import BATTAMBANG, PURSAT, Flow, rows
from tests.registry.paying import Announced, Payments
from tests.server import eventually
from tests.two_persons import CHECKER

WORDS = {"en": "The house stood under water.", "km": "ផ្ទះលិចទឹក។"}
REASON = {"reason": "Seen by the commune council."}
LARGE = 160_000
"""What a household of four with a child gets in a round."""


async def amounts(flow: Flow, activation_id: UUID, number: int = 1) -> tuple[int, int, int]:
    """Payable, unpayable and excluded in a round."""
    found = (await flow.get(f"/activations/{activation_id}/rounds"))[number - 1]
    return found["payable_count"], found["unpayable_count"], found["excluded_count"]


async def missed(flow: Flow, activation_id: UUID, **parameters: Any) -> dict[str, int]:
    found = await flow.get(f"/activations/{activation_id}/missed", **parameters)
    return {row["why"]: row["households"] for row in found["missed"]}


async def never_twice(owner: asyncpg.Connection) -> None:
    """No household has two entitlements of an activation and round."""
    twice = await owner.fetchval(
        "SELECT count(*) FROM (SELECT FROM registry.entitlement "
        "GROUP BY household_id, activation_id, round HAVING count(*) > 1) AS twice"
    )
    assert twice == 0


async def test_whom_an_activation_missed_is_a_worklist(
    announced: Announced, payments: Payments
) -> None:
    flow, activation_id = announced.flow, announced.activation_id
    await announced.settle(payments, "paid,", "failed,accountNotFound", "unpayable,above-maximum")
    await announced.reaches(status="settled")
    # Late: one in a reached commune; one where the activation does not reach; one who is rich.
    await flow.register(
        [
            *rows(2, begin=50),
            *rows(1, begin=60, poverty_status="not-poor"),
            *rows(1, commune="150101"),
        ]
    )
    path = f"/activations/{activation_id}/missed"
    expected = {"no-account": 0, "bad-account": 1, "set-aside": 1, "suspected": 0, "late": 2}
    assert await missed(flow, activation_id) == expected
    assert await missed(flow, activation_id, area="0202") == dict.fromkeys(expected, 0)
    assert await missed(flow, activation_id, area="KH") == expected
    (bad,) = (await flow.get(f"{path}/bad-account"))["items"]
    assert (bad["reason"], bad["status"], bad["amount_minor"]) == (
        "accountNotFound",
        "failed",
        LARGE,
    )
    first = await flow.get(f"{path}/late", limit=1)
    rest = await flow.get(f"{path}/late", limit=1, cursor=first["next_cursor"])
    assert rest["next_cursor"] is None
    late = [row["household_id"] for row in first["items"] + rest["items"]]
    assert sorted(late) == sorted([await flow.household_id(f"KH-020101-00005{n}") for n in (0, 1)])
    answer = await flow.client.get(f"{path}/late/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    exported = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["household_id"] for row in exported] == late
    operation = "GET /v1/activations/{activation_id}/missed/{why}/csv"
    recorded = await flow.get("/audit", operation=operation)
    begun, ended = sorted(recorded["items"], key=lambda record: str(record["id"]))
    assert begun["action"] == ended["action"] == "export"
    assert f"activations/{activation_id}" in "".join(begun["objects"])
    assert ended["after"] == {**begun["after"], "rows": 2, "whole": True}
    answer = await flow.client.get(f"{path}/set-aside/csv", params={"area": "020101"})
    assert answer.text.splitlines()[1].endswith(",020101,1,160000,unpayable,above-maximum")
    assert (await flow.client.get(f"{path}/anything")).status_code == 422
    assert (await flow.client.get(f"/activations/{new_id()}/missed")).status_code == 404


async def test_late_registrants_are_enrolled_by_two_persons_with_the_rounds_that_were_released(
    working: Flow, owner: asyncpg.Connection
) -> None:
    await working.register(rows(2))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    working.set_clock(datetime(2026, 2, 10, 5, tzinfo=UTC))
    await working.post(f"/activations/{activation_id}/rounds/2/release")
    await working.worked(activation_id, runs=2)
    path = f"/activations/{activation_id}/further-enrolments"
    refused = await working.post(path, REASON, status=409)
    assert "Nobody is there to enrol" in refused["detail"]

    await working.register([*rows(3, begin=50), *rows(1, commune="020801")])
    proposal = await working.post(path, REASON | {"areas": ["0201"]}, status=202)
    assert (proposal["households"], proposal["amount_minor"]) == (3, 3 * 3 * LARGE)
    assert proposal["document"]["by_commune"] == [
        {"area_code": "020101", "households": 3, "amount_minor": 3 * LARGE}
    ]
    # Who comes after it was proposed is not among them.
    working.set_clock(datetime(2026, 2, 10, 6, tzinfo=UTC))
    await working.register(rows(1, begin=70))
    await working.approve(proposal)
    await working.worked(activation_id, runs=4)
    assert await amounts(working, activation_id) == (5, 0, 0)
    assert await amounts(working, activation_id, 2) == (5, 0, 0)
    assert (await missed(working, activation_id))["late"] == 2
    runs = (await working.get(f"/activations/{activation_id}"))["runs"]
    assert [run["kind"] for run in runs] == ["opening", "round", "further", "round"]
    # The same again: whoever is enrolled is passed by.
    again = await working.post(path, REASON, status=202)
    assert again["households"] == 2
    await working.approve(again)
    await working.worked(activation_id, runs=6)
    await never_twice(owner)
    assert await amounts(working, activation_id) == (7, 0, 0)
    working.set_clock(datetime(2026, 3, 20, 5, tzinfo=UTC))
    await working.register(rows(1, begin=90))
    over = await working.post(path, REASON, status=409)
    assert "The last round was due on 2026-03-08" in over["detail"]


async def test_more_than_the_second_person_saw_is_not_enrolled(working: Flow) -> None:
    await working.register(rows(1))
    activation_id = await working.open(BATTAMBANG, ceiling=(2, 10**12))
    await working.worked(activation_id)
    await working.register(rows(1, begin=5))
    path = f"/activations/{activation_id}/further-enrolments"
    proposal = await working.client.post(path, json=REASON, headers=working.key())
    # It grew: the proposal stands for whom it was made, and for what they were then.
    await working.register(rows(1, begin=5, members=9))
    answer = await working.decided(proposal)
    assert answer.status_code == 409
    # One that was kept out when it was proposed is admitted again before it is approved.
    await working.register(rows(1, begin=7))
    household_id = await working.household_id("KH-020101-000007")
    kept = await working.post(
        f"/activations/{activation_id}/households/{household_id}/exclusion", REASON
    )
    proposal = await working.client.post(path, json=REASON, headers=working.key())
    assert proposal.json()["households"] == 1
    await working.post(f"/exclusions/{kept['id']}/readmission", REASON)
    answer = await working.decided(proposal)
    assert answer.status_code == 409
    assert "2 households" in answer.json()["detail"]
    # Above the activation's ceiling it is held, as any run.
    await working.register(rows(1, begin=6))
    proposal = await working.client.post(path, json=REASON, headers=working.key())
    assert (await working.decided(proposal)).status_code == 200

    async def held() -> bool:
        return bool((await working.get("/held-runs"))["items"])

    await eventually(held)
    assert (await working.get("/held-runs"))["items"][0]["kind"] == "further"


async def test_a_household_is_enrolled_by_hand_whatever_the_rule_says(
    working: Flow, owner: asyncpg.Connection
) -> None:
    await working.register(
        [*rows(1), *rows(1, begin=5, poverty_status="not-poor"), *rows(1, commune="150101")]
    )
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    ids = [
        await working.household_id(number)
        for number in ("KH-020101-000000", "KH-020101-000005", "KH-150101-000000")
    ]
    path = f"/activations/{activation_id}/further-enrolments"
    named = REASON | {"household_ids": ids[1:]}
    assert "not eligible" in (await working.post(path, named, status=409))["detail"]
    enrolled = REASON | {"household_ids": ids, "whatever_the_rule": True}
    assert (
        "enrolled in the activation already"
        in (await working.post(path, enrolled, status=409))["detail"]
    )
    unknown = REASON | {"household_ids": [str(new_id())], "whatever_the_rule": True}
    await working.post(path, unknown, status=404)
    await working.post(path, REASON | {"whatever_the_rule": True}, status=422)
    proposal = await working.post(path, named | {"whatever_the_rule": True}, status=202)
    assert "by hand" in proposal["what"]
    alone = await working.client.post(
        f"/approvals/{proposal['id']}/approval", json={"reason": "I am sure."}
    )
    assert alone.status_code == 409
    await working.approve(proposal)
    await working.worked(activation_id, runs=2)
    assert await amounts(working, activation_id) == (3, 0, 0)
    # A later report reaches that commune: nobody is enrolled or paid twice.
    await working.register(rows(1, commune="150101", begin=5))
    await working.widen(activation_id, PURSAT)
    await working.worked(activation_id, runs=3)
    assert await amounts(working, activation_id) == (4, 0, 0)
    await never_twice(owner)
    decision = await working.get(f"/activations/{activation_id}/households/{ids[1]}/decision")
    assert (decision["verdict"], decision["eligibility"]["held"]) == ("in", False)


async def test_a_household_is_kept_out_by_one_and_admitted_again_by_two(
    working: Flow, owner: asyncpg.Connection
) -> None:
    await working.register(rows(2))
    ids = [await working.household_id(f"KH-020101-00000{number}") for number in (0, 1)]
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    path = f"/activations/{activation_id}/households/{ids[0]}/exclusion"
    kept = await working.post(path, REASON, status=201)
    assert kept["announced_rounds"] == 1
    await working.post(path, REASON, status=409)
    await working.post(
        f"/activations/{activation_id}/households/{new_id()}/exclusion", REASON, status=404
    )
    working.set_clock(datetime(2026, 2, 10, 5, tzinfo=UTC))
    await working.post(f"/activations/{activation_id}/rounds/2/release")
    await working.worked(activation_id, runs=2)
    assert await amounts(working, activation_id, 2) == (1, 0, 1)
    decision = await working.get(f"/activations/{activation_id}/households/{ids[0]}/decision")
    assert decision["rounds"][1]["reason"] == "excluded-by-an-officer"
    assert "An officer keeps it out" in decision["words"]["en"]
    (listed,) = (await working.get("/exclusions", scheme="flood-2022"))["items"]
    assert listed["id"] == kept["id"]

    proposal = await working.post(f"/exclusions/{kept['id']}/readmission", REASON, status=202)
    assert (proposal["households"], proposal["amount_minor"]) == (1, LARGE)
    ended = await working.approve(proposal)
    assert ended["ended_by"] == "officer@test"
    assert await amounts(working, activation_id, 2) == (1, 1, 0)
    repair = await working.post(
        f"/activations/{activation_id}/repairs",
        {"round": 2, "reason": "Admitted again.", "household_ids": [ids[0]]},
        status=202,
    )
    await working.approve(repair)
    await working.worked(activation_id, runs=3)
    assert await amounts(working, activation_id, 2) == (2, 0, 0)
    await never_twice(owner)
    # The next round is an ordinary one.
    working.set_clock(datetime(2026, 3, 10, 5, tzinfo=UTC))
    await working.post(f"/activations/{activation_id}/rounds/3/release")
    await working.worked(activation_id, runs=4)
    assert await amounts(working, activation_id, 3) == (2, 0, 0)

    # Of the whole scheme: the next activation enrols it, and it gets nothing.
    whole = f"/activations/{activation_id}/households/{ids[1]}/exclusion"
    await working.post(whole, REASON | {"whole_scheme": True}, status=201)
    working.set_clock(datetime(2026, 9, 10, 5, tzinfo=UTC))
    other = await working.open(BATTAMBANG)
    await working.worked(other)
    assert await amounts(working, other) == (1, 0, 1)
    named = REASON | {"household_ids": [ids[1]], "whatever_the_rule": True}
    await working.post(f"/activations/{other}/further-enrolments", named, status=409)


async def test_an_appeal_is_opened_by_one_and_decided_by_another(
    working: Flow, owner: asyncpg.Connection
) -> None:
    await working.register([*rows(1), *rows(2, begin=5, poverty_status="not-poor")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    ids = [await working.household_id(f"KH-020101-00000{number}") for number in (5, 6)]
    given = {
        "household_id": ids[0],
        "activation_id": str(activation_id),
        "about": "not-enrolled",
        "wants": "enrolment",
        "words": WORDS,
    }
    appeal = await working.post("/appeals", given)
    assert (appeal["status"], appeal["due_on"]) == ("open", "2026-02-04")
    await working.post("/appeals", given, status=409)
    await working.post("/appeals", given | {"wants": "readmission"}, status=409)
    path = f"/appeals/{appeal['id']}"
    await working.post(f"{path}/notes", {"words": WORDS})
    decision = {"decision": "upheld", "words": WORDS}
    await working.post(f"{path}/decision", decision, status=409)
    async with working.service.client(subject="service:triggers") as machine:
        answer = await machine.post(f"{path}/decision", json=decision, headers=working.key())
        assert answer.status_code == 403
    working.set_clock(datetime(2026, 2, 5, 5, tzinfo=UTC))
    (overdue,) = (await working.get("/appeals", status="overdue"))["items"]
    assert (overdue["id"], overdue["status"]) == (appeal["id"], "overdue")
    async with working.service.client(subject=CHECKER) as checker:
        answer = await checker.post(f"{path}/decision", json=decision, headers=working.key())
        assert answer.status_code == 201, answer.text
        again = await checker.post(f"{path}/decision", json=decision, headers=working.key())
        assert again.status_code == 409
    decided = answer.json()
    assert (decided["status"], decided["decided_by"]) == ("upheld", CHECKER)
    assert [step["kind"] for step in decided["history"]] == ["opened", "noted", "upheld"]
    assert decided["history"][0]["words"] == WORDS
    await working.worked(activation_id, runs=2)
    assert await amounts(working, activation_id) == (2, 0, 0)
    kept = await owner.fetchrow("SELECT * FROM registry.further_enrolment")
    assert (kept["appeal_id"], kept["approval_id"]) == (UUID(appeal["id"]), None)

    # Rejected, nothing happens. What was said is in no event and in no audit record.
    second = await working.post("/appeals", given | {"household_id": ids[1]})
    async with working.service.client(subject=CHECKER) as checker:
        answer = await checker.post(
            f"/appeals/{second['id']}/decision",
            json={"decision": "rejected", "words": WORDS},
            headers=working.key(),
        )
        assert answer.json()["status"] == "rejected"
    assert await amounts(working, activation_id) == (2, 0, 0)
    told = await owner.fetchval(
        "SELECT count(*) FROM registry.audit_record AS kept WHERE kept::text LIKE '%under water%'"
    )
    assert told == 0
    await never_twice(owner)


@pytest.mark.parametrize("later_rounds", ["as-enrolled", "as-they-are"])
async def test_later_rounds_look_at_households_as_the_scheme_says(
    flow: Flow, run_worker: Any, later_rounds: str
) -> None:
    await flow.post_scheme(later_rounds=later_rounds)
    async with run_worker("registry"):
        await flow.register(rows(3))
        activation_id = await flow.open(BATTAMBANG)
        await flow.worked(activation_id)
        # One has a baby, one is not poor any more.
        await flow.register(
            [*rows(1, members=5, children_0_5=2), *rows(1, begin=1, poverty_status="not-poor")]
        )
        flow.set_clock(datetime(2026, 2, 10, 5, tzinfo=UTC))
        answer = await flow.client.post(
            f"/activations/{activation_id}/rounds/2/release", headers=flow.key()
        )
        as_they_are = later_rounds == "as-they-are"
        grown = LARGE + 2 * 16_000
        expected = (2, LARGE + grown) if as_they_are else (3, 3 * LARGE)
        proposal = answer.json()
        assert (proposal["households"], proposal["amount_minor"]) == expected
        await flow.approve(proposal)
        await flow.worked(activation_id, runs=2)
    found = (await flow.get(f"/activations/{activation_id}/rounds"))[1]
    assert (found["payable_count"], found["payable_minor"]) == expected
    assert found["excluded_count"] == (1 if as_they_are else 0)
    ids = [await flow.household_id(f"KH-020101-00000{number}") for number in (0, 1)]
    for household_id, reason in ((ids[0], None), (ids[1], "not-eligible-any-more")):
        owed = (await flow.get(f"/households/{household_id}/entitlements"))["items"]
        explained = await flow.get(f"/entitlements/{owed[1]['id']}")
        assert explained["reason"] == (reason if as_they_are else None)
        if explained["reason"] is None:
            assert explained["amount_minor"] == sum(
                part["amount_minor"] for part in explained["components"]
            )
            assert explained["amount_minor"] == (grown if as_they_are else LARGE)
        # Round 1 is explained by what it was then.
        first = await flow.get(f"/entitlements/{owed[0]['id']}")
        assert sum(part["amount_minor"] for part in first["components"]) == LARGE
