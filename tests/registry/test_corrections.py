"""Members over HTTP: shown to whoever may see persons, added and corrected by one or by two."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from shared.clock import FileClock
from shared.contracts.events import HouseholdChanged
from tests.registry.flow import BATTAMBANG, Flow, proposes, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.test_household_events import told
from tests.two_persons import CHECKER

SECRET = Person(
    name="Secret-Name",
    phone="+85512345678",
    id_number="SECRETID99",
    programmes=("covid-cash",),
    disability=True,
)
BABY = {"relationship": "child", "sex": "male", "birth_date": "2025-12-01", "name": "Secret-Baby"}


async def registered(flow: Flow) -> UUID:
    """A household of two, who are listed."""
    await flow.register(rows(1, members=2, children_0_5=0))
    (household_id,) = await ids_of(flow.owner, "020101")
    today = FileClock(flow.clock_file).today()
    await store(flow, {household_id: [SECRET, Person(relationship="child")]}, today=today)
    return household_id


async def add(flow: Flow, household_id: UUID, **changes: Any) -> httpx.Response:
    return await flow.client.post(
        f"/households/{household_id}/members", json=BABY | changes, headers=flow.key()
    )


async def correct(flow: Flow, member: dict[str, Any], **changes: Any) -> httpx.Response:
    path = f"/households/{member['household_id']}/members/{member['id']}"
    return await flow.client.patch(path, json=changes)


async def members_of(flow: Flow, household_id: UUID) -> list[dict[str, Any]]:
    return list((await flow.get(f"/households/{household_id}/members"))["items"])


async def test_members_are_shown_to_whoever_may_see_persons(flow: Flow) -> None:
    household_id = await registered(flow)
    path = f"/households/{household_id}"
    shown = await flow.get(path)
    assert (shown["members_listed"], shown["members"], shown["disabled"]) == (True, 2, 1)
    first, second = shown["listed"]
    assert first["name"] == "Secret-Name"
    assert (first["phone"], first["id_number"]) == ("+85512345678", "SECRETID99")
    assert first["programmes"] == [{"code": "covid-cash", "since": None, "until": None}]
    assert (second["member_number"], second["relationship"]) == (2, "child")
    assert await members_of(flow, household_id) == [first, second]
    page = await flow.get(f"{path}/members", limit=1)
    rest = await flow.get(f"{path}/members", limit=1, cursor=page["next_cursor"])
    assert [*page["items"], *rest["items"]] == [first, second]
    async with flow.service.client("households:read") as reader:
        seen = (await reader.get(path)).json()
        assert (seen["listed"], seen["members"], seen["disabled"]) == (None, 2, None)
        assert (await reader.get(f"{path}/members")).status_code == 403
    # The household is in the record of whose values were shown.
    shown_of = await flow.owner.fetch(
        "SELECT objects FROM registry.audit_record WHERE unmasked_read"
    )
    assert all(f"households/{household_id}" in row["objects"] for row in shown_of)
    assert len(shown_of) == 4


async def test_one_person_adds_and_corrects_so_many_a_day(flow: Flow) -> None:
    flow.service.app.state.settings.member_changes_alone = 2
    household_id = await registered(flow)
    today = FileClock(flow.clock_file).today()
    added = await add(flow, household_id, birth_date=str(today - timedelta(days=30)))
    assert added.status_code == 201, added.text
    assert added.json()["member_number"] == 3
    assert "Secret" not in added.text
    assert await store(flow, {household_id: [SECRET]}, today=today) == (0, 0, 1, 0)
    first, _, baby = await members_of(flow, household_id)
    assert baby["name"] == "Secret-Baby"
    household = await flow.get(f"/households/{household_id}")
    assert (household["members"], household["children_0_5"]) == (3, 1)
    stored = await flow.owner.fetchrow("SELECT members, children_0_5 FROM registry.household")
    assert tuple(stored) == (3, 1)

    answer = await correct(flow, first, phone="012 345", disability=False)
    assert answer.status_code == 422, answer.text
    answer = await correct(
        flow, first, phone="012 345 679", disability=False, programmes=["scholarship"]
    )
    assert answer.status_code == 200, answer.text
    corrected = answer.json()
    assert (corrected["phone"], corrected["disability"]) == ("+85512345679", False)
    assert corrected["programmes"] == [
        {"code": "covid-cash", "since": None, "until": str(today)},
        {"code": "scholarship", "since": str(today), "until": None},
    ]
    # What is so already is no change, and no third.
    assert (await correct(flow, corrected, disability=False)).json() == corrected
    third = await correct(flow, corrected, name="Third")
    assert proposes(third)
    assert (await members_of(flow, household_id))[0] == corrected
    assert (await flow.decided(third)).json()["outcome"] == f"/v1/households/{household_id}"
    assert (await members_of(flow, household_id))[0]["name"] == "Third"

    facts = await told(flow, HouseholdChanged)
    assert (
        facts
        == [{"household_id": str(household_id), "changes": ["members"], "areas": ["020101"]}] * 3
    )
    kept = await flow.owner.fetch(
        "SELECT audit_record::text FROM registry.audit_record UNION ALL "
        "SELECT idempotency_key::text FROM registry.idempotency_key UNION ALL "
        "SELECT approval::text FROM registry.approval"
    )
    assert not [row for row in kept if "Secret" in row[0] or "12345679" in row[0]]
    assert any("person_sealed" in row[0] for row in kept)


async def test_what_counts_of_an_enrolled_household_takes_two_persons(working: Flow) -> None:
    household_id = await registered(working)
    await working.worked(await working.open(BATTAMBANG))
    first, second = await members_of(working, household_id)
    # What she is called counts in no amount.
    assert (await correct(working, first, name="Sok Dara")).status_code == 200
    asked = await correct(working, first, birth_date="1950-01-01")
    assert proposes(asked)
    proposal = asked.json()
    assert (proposal["kind"], proposal["households"]) == ("member_change", 1)
    assert proposal["what"] == (f"Correct of member 1 of household {household_id}: date of birth.")
    path = f"/households/{household_id}/member-changes/{proposal['id']}"
    for subject in ("officer@test", CHECKER):
        async with working.service.client(subject=subject) as client:
            seen = (await client.get(path)).json()
        assert (seen["now"]["birth_date"], seen["asked_for"]["birth_date"]) == (
            "1990-05-05",
            "1950-01-01",
        )
        assert seen["asked_for"]["name"] == "Sok Dara"
    # Meanwhile somebody corrects her name: what was asked for is asked again.
    assert (await correct(working, first, name="Sok Chan")).status_code == 200
    assert (await working.decided(asked)).status_code == 409
    again = await correct(working, first, birth_date="1950-01-01")
    assert (await working.decided(again, by="officer@test")).status_code == 409
    assert (await working.decided(again)).status_code == 200
    assert (await working.get(f"/households/{household_id}"))["elderly_60"] == 1

    # Two who are added at once: each has a number of their own, or is asked for again.
    babies = [await add(working, household_id, name=name) for name in ("A", "B")]
    assert all(map(proposes, babies))
    answers = [(await working.decided(baby)).status_code for baby in babies]
    assert answers == [200, 409]
    assert len(await members_of(working, household_id)) == 3
    await working.owner.execute(
        "UPDATE registry.member SET left_on = '2026-01-05', left_because = 'moved' WHERE id = $1",
        UUID(second["id"]),
    )
    assert (await correct(working, second, name="Late")).status_code == 409


async def test_what_cannot_be_is_refused(flow: Flow) -> None:
    household_id = await registered(flow)
    await flow.register(rows(1, begin=7))
    counted = UUID(await flow.household_id("KH-020101-000007"))
    for changes in (
        {"birth_date": "2199-01-01"},
        {"birth_date": "1700-01-01"},
        {"pregnancy_due_on": "2026-04-01"},
        {"programmes": ["no-such-programme"]},
        {"programmes": ["Not a code"]},
        {"sex": "woman"},
        {"disability": "yes"},
        {"phone": "12"},
        {"name": ""},
        {"joined_on": "2020-01-01"},
        {"member_number": 9},
    ):
        refused = await add(flow, household_id, **changes)
        assert refused.status_code == 422, (changes, refused.text)
        assert "Secret" not in refused.text
    alone = await add(flow, counted)
    assert (alone.status_code, "an import" in alone.json()["detail"]) == (409, True)
    assert (await flow.get(f"/households/{counted}"))["listed"] is None
    assert await members_of(flow, counted) == []
    nobody = {"household_id": str(counted), "id": str(household_id)}
    assert (await correct(flow, nobody, name="Nobody")).status_code == 404
    (member, _) = await members_of(flow, household_id)
    assert (
        await correct(flow, member, sex="male", pregnancy_due_on="2026-03-01")
    ).status_code == 422
    assert (await correct(flow, member, disability=None)).status_code == 422


async def test_a_programme_is_added_once(flow: Flow) -> None:
    listed = [item["code"] for item in (await flow.get("/programmes"))["items"]]
    assert listed == [
        "covid-cash",
        "disability-allowance",
        "pregnant-women-and-children",
        "scholarship",
        "school-meals",
    ]
    given = {"code": "family-package", "name_en": "Family package", "name_km": "កញ្ចប់គ្រួសារ"}
    assert await flow.post("/programmes", given) == given
    await flow.post("/programmes", given, status=409)
    household_id = await registered(flow)
    assert (await add(flow, household_id, programmes=["family-package"])).status_code == 201


async def test_a_past_day_knows_no_programme_that_began_later_and_no_end_that_came_later(
    flow: Flow,
) -> None:
    begun = FileClock(flow.clock_file).now()
    at = f'{{"at": "{begun}"}}'
    await flow.owner.execute("SELECT set_config('registry.change', $1, false)", at)
    household_id = await registered(flow)
    path = f"/households/{household_id}"
    day = FileClock(flow.clock_file).today()
    flow.set_clock(begun + timedelta(days=2))
    first, _ = await members_of(flow, household_id)
    answer = await correct(flow, first, programmes=["scholarship"])
    assert answer.status_code == 200, answer.text
    changed_on = day + timedelta(days=2)
    covid = {"code": "covid-cash", "since": None, "until": None}
    now = [
        {**covid, "until": str(changed_on)},
        {"code": "scholarship", "since": str(changed_on), "until": None},
    ]

    async def programmes(**when: str) -> Any:
        listed = (await flow.get(path, **when))["listed"]
        return next(each["programmes"] for each in listed if each["member_number"] == 1)

    assert await programmes() == now
    assert await programmes(as_of=str(changed_on)) == now
    assert await programmes(as_of=str(day + timedelta(days=1))) == [covid]
    # Two ways to say when are one too many.
    both = {"as_of": str(day), "as_of_instant": f"{changed_on}T00:00:00Z"}
    refused = await flow.client.get(path, params=both)
    assert refused.status_code == 422
    assert "give one of the two" in refused.json()["detail"]


async def test_nobody_is_added_to_a_full_household_nor_on_a_day_to_come(flow: Flow) -> None:
    household_id = await registered(flow)
    today = FileClock(flow.clock_file).today()
    to_come = await add(flow, household_id, joined_on=str(today + timedelta(days=1)))
    assert (to_come.status_code, "the day has not come" in to_come.text) == (422, True)
    others = [Person(relationship="child")] * 58
    await store(flow, {household_id: [SECRET, Person(relationship="child"), *others]}, today=today)
    full = await add(flow, household_id)
    assert (full.status_code, "at most 60 members" in full.text) == (409, True)
    first, *_ = await members_of(flow, household_id)
    assert (await correct(flow, first, disability=False)).status_code == 200
