"""From an activation to announced entitlements: each household once, every riel explained."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.registry.enrolments.statements import NO_ACCOUNT
from services.registry.schemes.shipped import shipped_document
from services.registry.worker import create_worker
from shared.clock import FileClock
from tests.hearing import hear
from tests.registry.flow import BATTAMBANG, PURSAT, Flow, rows
from tests.server import eventually


async def counted(flow: Flow, table: str) -> int:
    count: int = await flow.owner.fetchval(f"SELECT count(*) FROM registry.{table}")
    return count


async def assert_chunks_agree(flow: Flow, activation_id: UUID) -> list[list[str]]:
    """Each chunk, fetched, is what was announced; all their rows."""
    announced = {
        event["chunk_id"]: event
        for event in await flow.events("entitlements-ready")
        if event["activation_id"] == str(activation_id)
    }
    chunks = [chunk for chunk in await flow.chunks(activation_id) if chunk["status"] != "empty"]
    assert {chunk["id"] for chunk in chunks} == set(announced)
    fetched = []
    for chunk_id, event in announced.items():
        found = await flow.chunk_rows(chunk_id)
        assert await flow.chunk_rows_in_binary(chunk_id) == found
        assert len(found) == event["count"]
        assert sum(int(row[3]) for row in found) == event["total_minor"]
        assert {row[4] for row in found} == {"KHR"}
        fetched += found
    return fetched


async def test_an_account_of_several_households_has_one_fingerprint_and_is_not_told(
    working: Flow,
) -> None:
    await working.register(
        [*rows(2, account="+85512345678"), *rows(1, begin=10, account="+85512345679")]
    )
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    fetched = await assert_chunks_agree(working, activation_id)
    fingerprints = sorted(row[8] for row in fetched)
    assert len(set(fingerprints)) == 2
    assert {len(bytes.fromhex(each.removeprefix("\\x"))) for each in fingerprints} == {8}
    # Nor is it what the registry finds accounts by.
    indexes = await working.owner.fetch("SELECT account_index FROM registry.payee_account")
    assert all(
        bytes.fromhex(each.removeprefix("\\x")) not in row["account_index"]
        for each in fingerprints
        for row in indexes
    )


async def test_an_activation_enrols_the_eligible_and_announces_what_they_are_owed(
    working: Flow,
) -> None:
    await working.register(
        [
            *rows(3, members=1, children_0_5=0),
            *rows(2, begin=10, members=5, elderly_60=1),
            *rows(4, begin=20, poverty_status="not-poor"),
            *rows(2, commune="150101"),
            *rows(5, commune="120101"),
        ]
    )
    activation_id = await working.open(BATTAMBANG, PURSAT)
    activation = await working.worked(activation_id)
    assert activation["scheme_version"] == 1
    progress = activation["progress"]
    assert (progress["households_enrolled"], progress["payable_count"]) == (7, 7)
    total = 3 * 96_000 + 2 * (80_000 + 7 * 16_000) + 2 * (80_000 + 5 * 16_000)
    assert progress["payable_minor"] == total
    fetched = await assert_chunks_agree(working, activation_id)
    assert len(fetched) == 7
    assert {row[2] for row in fetched} == {"020101", "150101"}
    (completed,) = await working.events("enrolment-completed")
    assert completed | {"enrolment_id": "", "activation_id": ""} == {
        "enrolment_id": "",
        "activation_id": "",
        "scheme": "flood-2022",
        "round": 1,
        "fund": "national-relief",
        "currency": "KHR",
        "chunk_count": 2,
        "households": 7,
        "entitlements": 7,
        "total_minor": total,
        "unpayable": 0,
        "budget_line": None,
    }
    assert completed["enrolment_id"] == activation["runs"][0]["id"]


async def test_a_scheme_tells_payments_on_which_budget_line_it_is_booked(working: Flow) -> None:
    document = (await working.get("/schemes/flood-2022"))["document"]
    assert document["budget_line"] is None
    await working.post("/schemes/flood-2022/versions", {**document, "budget_line": "floods-2022"})
    await working.register(rows(3))
    await working.worked(await working.open(BATTAMBANG))
    for told in ("entitlements-ready", "enrolment-completed"):
        (event,) = await working.events(told)
        assert (event["fund"], event["budget_line"]) == ("national-relief", "floods-2022")


async def test_an_activation_that_is_told_twice_enrols_once(working: Flow) -> None:
    await working.register(rows(5))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    await working.open(BATTAMBANG, activation_id=activation_id)
    other = await working.open(PURSAT)
    await working.worked(other)
    assert (await working.worked(activation_id))["progress"]["households_enrolled"] == 5
    assert await counted(working, "enrolment") == await counted(working, "entitlement") == 5
    assert (await working.get("/dead-letters"))["items"] == []


async def test_an_activation_that_is_told_again_for_more_areas_reaches_those_too(
    working: Flow,
) -> None:
    await working.register([*rows(2), *rows(3, commune="150101")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    # Triggers lost it, and began it anew by what was reported since.
    await working.open(BATTAMBANG, PURSAT, activation_id=activation_id)
    activation = await working.worked(activation_id, runs=2)
    assert activation["progress"]["households_enrolled"] == 5


async def test_a_widening_enrols_only_whom_it_adds(working: Flow) -> None:
    await working.register([*rows(5), *rows(3, commune="150101"), *rows(2, commune="150102")])
    activation_id = await working.open(BATTAMBANG, "150101")
    await working.worked(activation_id)
    await working.widen(activation_id, PURSAT)
    activation = await working.worked(activation_id, runs=2)
    assert [run["kind"] for run in activation["runs"]] == ["opening", "widening"]
    assert activation["progress"]["households_enrolled"] == 10
    assert activation["areas"] == ["02", "15", "150101"]
    fetched = await assert_chunks_agree(working, activation_id)
    assert len({row[1] for row in fetched}) == len(fetched) == 10
    await working.widen(activation_id, PURSAT, BATTAMBANG)
    await working.register(rows(1, begin=50))
    other = await working.open(PURSAT)
    await working.worked(other)
    assert len((await working.worked(activation_id, runs=2))["runs"]) == 2


async def test_a_household_that_moves_between_two_runs_is_enrolled_once(working: Flow) -> None:
    await working.register([*rows(3), *rows(2, commune="150101")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    await working.register([replace(rows(1)[0], commune_code="150101")])
    await working.widen(activation_id, PURSAT)
    activation = await working.worked(activation_id, runs=2)
    assert activation["progress"]["households_enrolled"] == 5
    fetched = await assert_chunks_agree(working, activation_id)
    assert len({row[1] for row in fetched}) == len(fetched) == 5


async def test_only_communes_that_the_filter_lets_through_are_reached(working: Flow) -> None:
    hazard = await working.owner.fetch(
        "SELECT code, flood_hazard_index FROM registry.area "
        "WHERE level = 'commune' AND code LIKE '02%' ORDER BY flood_hazard_index DESC NULLS LAST"
    )
    high, low = (
        hazard[0],
        next(area for area in reversed(hazard) if area["flood_hazard_index"] is not None),
    )
    await working.register([*rows(2, commune=high["code"]), *rows(3, commune=low["code"])])
    level = high["flood_hazard_index"]
    activation_id = await working.open("KH", area_filter=f"flood_hazard_index >= {level}")
    activation = await working.worked(activation_id)
    assert activation["progress"]["households_enrolled"] == 2


async def test_a_household_without_an_account_is_entitled_and_seen_as_unpayable(
    working: Flow,
) -> None:
    await working.register([*rows(2), *rows(1, begin=7, provider_code="", account="")])
    activation_id = await working.open(BATTAMBANG)
    progress = (await working.worked(activation_id))["progress"]
    assert (progress["payable_count"], progress["unpayable_count"]) == (2, 1)
    assert progress["unpayable_minor"] == 80_000 + 5 * 16_000
    assert len(await assert_chunks_agree(working, activation_id)) == 2
    summary = await working.get(f"/activations/{activation_id}/summary")
    assert summary["reasons"] == {NO_ACCOUNT: 1}
    assert [province["province_name"] for province in summary["provinces"]] == ["Battambang"]
    household_id = await working.household_id("KH-020101-000007")
    (entitlement,) = (await working.get("/entitlements", household_id=household_id))["items"]
    assert (entitlement["status"], entitlement["reason"]) == ("unpayable", NO_ACCOUNT)


async def test_an_activation_without_anybody_completes_and_announces_nothing(
    working: Flow,
) -> None:
    activation_id = await working.open(BATTAMBANG)
    activation = await working.worked(activation_id)
    assert activation["chunks_planned"] == 0
    assert await working.events("entitlements-ready") == []
    (completed,) = await working.events("enrolment-completed")
    assert (completed["chunk_count"], completed["total_minor"]) == (0, 0)


async def test_an_entitlement_is_explained_by_its_parts(working: Flow) -> None:
    await working.register(rows(1, members=5, children_0_5=1, disabled=1, elderly_60=2))
    await working.worked(await working.open(BATTAMBANG))
    household_id = await working.household_id("KH-020101-000000")
    (listed,) = (await working.get(f"/households/{household_id}/entitlements"))["items"]
    explained = await working.get(f"/entitlements/{listed['id']}")
    assert explained["components"] == [
        {"name": "base", "count": 1, "each_minor": 80_000, "amount_minor": 80_000},
        {"name": "member", "count": 5, "each_minor": 16_000, "amount_minor": 80_000},
        {"name": "children_0_5", "count": 1, "each_minor": 16_000, "amount_minor": 16_000},
        {"name": "disabled", "count": 1, "each_minor": 16_000, "amount_minor": 16_000},
        {"name": "elderly_60", "count": 2, "each_minor": 16_000, "amount_minor": 32_000},
    ]
    assert explained["amount_minor"] == 224_000
    assert (explained["scheme"], explained["scheme_version"]) == ("flood-2022", 1)
    # What is of somebody's health is told to whoever is shown persons, and nobody else.
    async with working.service.client("entitlements:read") as client:
        seen = (await client.get(f"/entitlements/{listed['id']}")).json()
    assert (seen["pregnant"], seen["disabled"], seen["elderly_60"]) == (None, None, 2)
    assert seen["components"] == [
        *explained["components"][:3],
        explained["components"][4],
        {"name": "disabled", "count": None, "each_minor": 16_000, "amount_minor": None},
    ]
    # What the household becomes later does not change what it was owed then.
    await working.register(rows(1, members=9))
    assert await working.get(f"/entitlements/{listed['id']}") == explained


async def test_an_activation_keeps_the_scheme_version_that_held_when_it_opened(
    working: Flow,
) -> None:
    await working.register([*rows(1), *rows(1, commune="150101")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    document = shipped_document("flood-2022")
    document["benefit"][0]["base_minor"] = 1
    document["overlapping"] = "paid"
    await working.post("/schemes/flood-2022/versions", document)
    await working.widen(activation_id, PURSAT)
    await working.worked(activation_id, runs=2)
    amounts = {row[3] for row in await assert_chunks_agree(working, activation_id)}
    assert amounts == {"160000"}
    later = await working.worked(await working.open(PURSAT))
    assert (later["scheme_version"], later["progress"]["payable_minor"]) == (2, 80_001)


async def test_a_fetched_chunk_stays_the_same_when_an_account_changes(working: Flow) -> None:
    await working.register(rows(3))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    before = await assert_chunks_agree(working, activation_id)
    household_id = before[0][1]
    await working.change_account(household_id, provider="tonle", account="+85577777777")
    assert await assert_chunks_agree(working, activation_id) == before


async def test_the_stream_needs_its_scope_and_an_announced_chunk(working: Flow) -> None:
    await working.register(rows(1, provider_code="", account=""))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    (chunk,) = await working.chunks(activation_id)
    path = f"/entitlement-chunks/{chunk['id']}/entitlements"
    assert (await working.client.get(path)).status_code == 409
    other = "/entitlement-chunks/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/entitlements"
    assert (await working.client.get(other)).status_code == 404
    async with working.service.client("enrolments:read") as client:
        assert (await client.get(path)).status_code == 403


async def waiting(flow: Flow, activation_id: UUID) -> dict[str, Any]:
    """The activation once it has arrived, whether anybody could be enrolled for it or not."""
    path = f"/activations/{activation_id}"

    async def arrived() -> bool:
        return (await flow.client.get(path)).status_code == 200

    await eventually(arrived)
    return dict(await flow.get(path))


@pytest.mark.parametrize(
    ("areas", "area_filter", "why"),
    [
        (["99"], None, "Not enrolled: None of its areas is"),
        (["01020101"], None, "Not enrolled: None of its areas is"),
        ([], None, "Not enrolled: None of its areas is"),
        (
            ["02"],
            "members >= 3",
            "Not enrolled: Its area filter cannot be used. members is not an attribute here. Use",
        ),
    ],
)
async def test_an_activation_that_cannot_be_enrolled_for_says_why_and_holds_no_other_up(
    working: Flow, areas: list[str], area_filter: str | None, why: str
) -> None:
    activation = await waiting(working, await working.open(*areas, area_filter=area_filter))
    assert activation["not_enrolled"].startswith(why)
    assert activation["scheme_version"] is None
    assert activation["runs"] == []
    fine = await working.worked(await working.open(BATTAMBANG))
    assert (fine["not_enrolled"], fine["areas_refused"]) == (None, {})
    assert (await working.get("/dead-letters"))["items"] == []
    listed = (await working.get("/activations"))["items"]
    assert [item["id"] for item in listed] == [fine["id"], activation["id"]]
    assert listed[1]["not_enrolled"] == activation["not_enrolled"]


async def test_the_good_areas_are_enrolled_and_the_bad_ones_listed(working: Flow) -> None:
    await working.register([*rows(2), *rows(3, commune="150101")])
    activation_id = await working.open(BATTAMBANG, "99", "០១", "15010101")
    activation = await working.worked(activation_id)
    assert activation["progress"]["payable_count"] == 2
    assert activation["areas_refused"] == {
        "99": "Not enrolled: It is not in the gazetteer.",
        "០១": "Not enrolled: It is not in the gazetteer.",
        "15010101": "Not enrolled: It is smaller than a commune, and households are enrolled by "
        "commune.",
    }
    await working.widen(activation_id, PURSAT, "98")
    activation = await working.worked(activation_id, runs=2)
    assert activation["progress"]["payable_count"] == 5
    assert set(activation["areas_refused"]) == {"98", "99", "០១", "15010101"}
    assert (await working.get("/dead-letters"))["items"] == []


async def test_an_area_that_the_gazetteer_gains_is_enrolled_by_itself(working: Flow) -> None:
    activation_id = await working.open(BATTAMBANG, "26")
    assert set((await working.worked(activation_id))["areas_refused"]) == {"26"}
    await working.owner.execute(
        "INSERT INTO registry.area (code, parent_code, level, name_en, name_km, residence) VALUES "
        "('26', 'KH', 'province', 'New', 'ថ្មី', NULL), "
        "('2601', '26', 'district', 'New', 'ថ្មី', NULL), "
        "('260101', '2601', 'commune', 'New', 'ថ្មី', 'rural')"
    )
    await working.register(rows(1, commune="260101"))
    activation = await working.worked(activation_id, runs=2)
    assert activation["areas_refused"] == {}
    assert activation["progress"]["communes"] > 1


async def test_an_activation_before_its_scheme_waits_and_is_enrolled_once_it_is_posted(
    flow: Flow, run_worker: Callable[[str], Any]
) -> None:
    await flow.register([*rows(2), *rows(3, commune="150101")])
    async with run_worker("registry"):
        activation_id = await flow.open(BATTAMBANG)
        assert (await waiting(flow, activation_id))["not_enrolled"] == (
            "Not enrolled: The scheme 'flood-2022', which pays, is not posted. Post it to "
            "/v1/schemes: whoever is eligible is enrolled then, by itself."
        )
        await flow.widen(activation_id, PURSAT)
        await flow.post_scheme()
        activation = await flow.worked(activation_id)
    assert activation["progress"]["payable_count"] == 5
    assert (activation["scheme_version"], activation["not_enrolled"]) == (1, None)
    assert [run["kind"] for run in activation["runs"]] == ["opening"]
    assert (await flow.get("/dead-letters"))["items"] == []


async def test_a_cancelled_activation_works_no_chunk_and_releases_no_round(
    working: Flow,
) -> None:
    await working.register(rows(2))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    await working.cancel(activation_id)
    today = FileClock(working.clock_file).today()

    async def is_cancelled() -> bool:
        activation = await working.get(f"/activations/{activation_id}")
        return bool(activation["cancelled_on"] == today.isoformat())

    await eventually(is_cancelled)
    working.set_clock(datetime(2026, 5, 20, 5, tzinfo=UTC))
    refused = await working.client.post(
        f"/activations/{activation_id}/rounds/2/release", headers=working.key()
    )
    assert refused.status_code == 409
    assert "cancelled on 2026-01-05" in refused.json()["detail"]
    (chunk,) = await working.chunks(activation_id)
    for path, body in (
        (f"/activations/{activation_id}/repairs", {"round": 1, "reason": "Accounts are mended."}),
        (f"/entitlement-chunks/{chunk['id']}/reannouncement", {"reason": "It got lost."}),
    ):
        await working.post(path, body, status=409)
    await working.widen(activation_id, PURSAT)
    await working.worked(await working.open(BATTAMBANG))
    assert len((await working.get(f"/activations/{activation_id}"))["runs"]) == 1
    assert (await working.get("/dead-letters"))["items"] == []


async def test_chunks_that_were_planned_before_a_cancellation_are_left_alone(
    flow: Flow, environment: dict[str, str]
) -> None:
    await flow.post_scheme()
    await flow.register(rows(2))
    worker = create_worker()
    try:
        activation_id = await flow.open(BATTAMBANG)
        await hear(worker, "registry")
        await flow.cancel(activation_id)
        await hear(worker, "registry")
        assert await worker.step("enrol-1") == 0
    finally:
        await worker.close()
    activation = await flow.get(f"/activations/{activation_id}")
    assert (activation["chunks_planned"], activation["chunks_done"]) == (1, 0)
    assert await flow.events("entitlements-ready") == []


@pytest.mark.parametrize("overlapping", ["paid", "excluded"])
async def test_workers_share_the_chunks_and_enrol_each_household_once(
    flow: Flow,
    run_worker: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    overlapping: str,
) -> None:
    """Two activations at once; where they are not to pay both, each household is paid by one."""
    monkeypatch.setenv("REGISTRY_HOUSEHOLDS_PER_CHUNK", "40")
    communes = [
        row["code"]
        for row in await flow.owner.fetch(
            "SELECT code FROM registry.area WHERE level = 'commune' AND code LIKE '02%' LIMIT 20"
        )
    ]
    await flow.register([row for commune in communes for row in rows(20, commune=commune)])
    await flow.post_scheme(overlapping=overlapping)
    fetched = []
    async with run_worker("registry"), run_worker("registry"), run_worker("registry"):
        activations = await asyncio.gather(flow.open("02"), flow.open("02"))
        for activation_id in activations:
            activation = await flow.worked(activation_id)
            assert activation["progress"]["households_enrolled"] == 400
            assert activation["chunks_planned"] == 10
            fetched.append(await assert_chunks_agree(flow, activation_id))
    completed = await flow.events("enrolment-completed")
    paid = [{row[1] for row in of_one} for of_one in fetched]
    assert [len(of_one) for of_one in fetched] == [len(households) for households in paid]
    assert sorted(event["entitlements"] for event in completed) == sorted(map(len, fetched))
    if overlapping == "paid":
        assert [len(of_one) for of_one in fetched] == [400, 400]
    else:
        assert len(paid[0] | paid[1]) == len(paid[0]) + len(paid[1]) == 400


async def test_a_chunk_that_fails_is_seen_and_tried_again(working: Flow) -> None:
    await working.register(rows(2))
    await working.owner.execute("REVOKE INSERT ON registry.entitlement FROM sangkroh_registry")
    activation_id = await working.open(BATTAMBANG)

    async def failed() -> bool:
        answer = await working.client.get(f"/activations/{activation_id}/chunks")
        return answer.status_code == 200 and bool(answer.json()["items"][0]["attempts"])

    await eventually(failed)
    (chunk,) = await working.chunks(activation_id)
    assert chunk["status"] == "planned"
    assert "ProgrammingError" in chunk["last_error"]
    assert await counted(working, "enrolment") == 0
    await working.owner.execute("GRANT INSERT ON registry.entitlement TO sangkroh_registry")
    activation = await working.worked(activation_id)
    assert activation["progress"]["payable_count"] == 2


async def test_households_paid_for_floods_are_left_out_of_round_1_of_inflation(
    working: Flow,
) -> None:
    await working.post_scheme("inflation-2022")
    await working.register([*rows(2), *rows(3, commune="150101")])
    await working.worked(await working.open(BATTAMBANG))
    activation_id = await working.open("KH", scheme="inflation-2022")
    progress = (await working.worked(activation_id))["progress"]
    assert (progress["households_enrolled"], progress["payable_count"]) == (5, 3)
    assert progress["excluded_count"] == 2
    fetched = await assert_chunks_agree(working, activation_id)
    assert {row[2] for row in fetched} == {"150101"}
    working.set_clock(datetime(2026, 5, 20, 5, tzinfo=UTC))
    await working.post(f"/activations/{activation_id}/rounds/2/release")
    progress = (await working.worked(activation_id, runs=2))["progress"]
    assert (progress["payable_count"], progress["excluded_count"]) == (8, 2)


async def test_flood_money_of_long_ago_excludes_nobody(working: Flow) -> None:
    await working.post_scheme("inflation-2022")
    await working.register(rows(2))
    await working.worked(await working.open(BATTAMBANG))
    working.set_clock(datetime(2026, 8, 1, 5, tzinfo=UTC))
    activation_id = await working.open("KH", scheme="inflation-2022", opened_on=date(2026, 8, 1))
    assert (await working.worked(activation_id))["progress"]["payable_count"] == 2
