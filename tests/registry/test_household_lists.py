"""Households are listed by what is open of them, and as they change, so that nothing is missed."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.shape import MAXIMUM_MEMBERS
from shared.migrations import begin_epoch
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, ids_of, store


async def _listed(flow: Flow, **filters: Any) -> set[str]:
    return {item["id"] for item in (await flow.get("/households", **filters))["items"]}


async def test_households_are_listed_by_what_is_open_of_them(flow: Flow) -> None:
    await flow.register(
        [
            *rows(2, members=3),
            *rows(1, begin=5, members=6, provider_code="", account=""),
            *rows(1, begin=7, members=9, village_code="02010101"),
            *rows(1, commune="150101", members=3),
        ]
    )
    first = UUID(min(await _listed(flow, members_to=3, area="0201")))
    await store(flow, {first: [Person(programmes=("school-meals",)), Person(), Person()]})
    everyone = await _listed(flow)

    assert len(everyone) == 5
    assert len(await _listed(flow, members_from=4)) == 2
    assert len(await _listed(flow, members_from=4, members_to=6)) == 1
    assert len(await _listed(flow, has_account="false")) == 1
    assert len(await _listed(flow, has_account="true", area="0201")) == 3
    assert len(await _listed(flow, village="02010101")) == 1
    assert await _listed(flow, programme="school-meals") == {str(first)}
    # Who is in one is of persons: `disability` says who has one.
    async with flow.service.client("households:read") as client:
        asked = await client.get("/households", params={"programme": "school-meals"})
        assert (asked.status_code, "read-personal" in asked.text) == (403, True)
        assert len((await client.get("/households")).json()["items"]) == 5
    assert await _listed(flow, changed_since="2100-01-01T00:00:00Z") == set()
    assert await _listed(flow, sort="changed") == everyone
    assert len(await _listed(flow, sort="changed", area="0201", has_account="true")) == 3


@pytest.mark.parametrize("where", [{}, {"area": "02"}])
async def test_whoever_follows_changes_misses_none_that_is_committed_late(
    flow: Flow, where: dict[str, str]
) -> None:
    await flow.register([*rows(3), *rows(1, commune="150101")] if where else rows(3))
    ids = await ids_of(flow.owner, "020101")
    page = await flow.get("/households", sort="changed", **where, limit=2)
    seen = [item["id"] for item in page["items"]]
    page = await flow.get("/households", sort="changed", **where, cursor=page["next_cursor"])
    assert sorted([*seen, *(item["id"] for item in page["items"])]) == sorted(map(str, ids))

    late = flow.owner.transaction()
    await late.start()
    await _touch(flow, ids[0])
    await flow.change_account(str(ids[1]), provider="mekong", account="+85512999888")
    # Another change is whole already: it is not told before what may still come before it.
    waiting = await flow.get("/households", sort="changed", **where, cursor=page["next_cursor"])
    assert (waiting["items"], waiting["next_cursor"]) == ([], page["next_cursor"])
    await late.commit()

    told = await flow.get("/households", sort="changed", **where, cursor=waiting["next_cursor"])
    assert [item["id"] for item in told["items"]] == [str(ids[0]), str(ids[1])]
    after = await flow.get("/households", sort="changed", **where, cursor=told["next_cursor"])
    assert after["items"] == []


async def test_changes_of_several_communes_are_told_in_their_order_and_each_once(
    flow: Flow,
) -> None:
    communes = ["020103", "020101", "020102"]
    await flow.register([row for code in communes for row in rows(2, commune=code)])
    ids = {code: await ids_of(flow.owner, code) for code in communes}
    changed = [ids[code][at] for at in range(2) for code in communes]
    for household_id in changed:
        await _touch(flow, household_id)

    told: list[str] = []
    more: dict[str, str] = {}
    while (page := await flow.get("/households", sort="changed", area="0201", limit=2, **more))[
        "items"
    ]:
        told += [item["id"] for item in page["items"]]
        more = {"cursor": page["next_cursor"]}

    assert told == list(map(str, changed))


async def test_a_household_is_told_too_where_only_a_member_of_it_changed(flow: Flow) -> None:
    await flow.register(rows(2))
    ids = await ids_of(flow.owner, "020101")
    people = {household_id: [Person(), Person(relationship="child")] for household_id in ids}
    await store(flow, people)
    page = await flow.get("/households", sort="changed")
    assert len(page["items"]) == 2

    # No count of the household is another than it was.
    people[ids[1]][1] = Person(relationship="child", programmes=("school-meals",))
    assert await store(flow, people) == (0, 1, 3, 0)
    for which in ({}, {"programme": "school-meals"}):
        told = await flow.get("/households", sort="changed", cursor=page["next_cursor"], **which)
        assert [item["id"] for item in told["items"]] == [str(ids[1])]
    await store(flow, people)
    after = await flow.get("/households", sort="changed", cursor=told["next_cursor"])
    assert after["items"] == []
    # More than are counted: one who comes changes no count either.
    people[ids[0]] += [Person(relationship="child")] * MAXIMUM_MEMBERS
    await store(flow, people)
    told = await flow.get("/households", sort="changed", cursor=told["next_cursor"])
    people[ids[0]].append(Person(relationship="child"))
    assert await store(flow, people) == (1, 0, MAXIMUM_MEMBERS + 4, 0)
    told = await flow.get("/households", sort="changed", cursor=told["next_cursor"])
    assert [item["id"] for item in told["items"]] == [str(ids[0])]


async def test_after_commits_were_lost_whoever_follows_changes_begins_anew(
    flow: Flow, environment: dict[str, str]
) -> None:
    await flow.register(rows(3))
    page = await flow.get("/households", sort="changed", limit=2)
    await asyncio.to_thread(begin_epoch, environment["DATABASE_URL"])
    again = await flow.get("/households", sort="changed", cursor=page["next_cursor"])
    assert len(again["items"]) == 3
    after = await flow.get("/households", sort="changed", cursor=again["next_cursor"])
    assert (after["items"], after["next_cursor"]) == ([], again["next_cursor"])


@pytest.mark.usefixtures("alone_with_roles")
async def test_after_a_restore_into_another_cluster_changes_are_told_as_before(
    flow: Flow, environment: dict[str, str], migrate: Callable[[str], None]
) -> None:
    """A logical dump keeps the old, larger transaction ids."""
    await flow.register(rows(3))
    page = await flow.get("/households", sort="changed")
    await flow.owner.execute(
        """
        SET session_replication_role = replica;
        UPDATE registry.household SET changed_in = '900000000', registered_in = '900000000';
        INSERT INTO registry.duplicate_look VALUES ('likeness', '900000000', now());
        UPDATE events.epoch SET system_identifier = system_identifier + 1;
        RESET session_replication_role
        """
    )
    migrate(environment["DATABASE_URL"])

    again = await flow.get("/households", sort="changed", cursor=page["next_cursor"])
    assert len(again["items"]) == 3
    (changed, *_) = await ids_of(flow.owner, "020101")
    await _touch(flow, changed)
    after = await flow.get("/households", sort="changed", cursor=again["next_cursor"])
    assert [item["id"] for item in after["items"]] == [str(changed)]
    registered = await flow.owner.fetch("SELECT registered_in::text FROM registry.household")
    assert [row[0] for row in registered] == ["3"] * 3
    # Whoever is stored from now on is below what another cluster had seen: all are compared.
    seen = await flow.owner.fetchval("SELECT seen_before::text FROM registry.duplicate_look")
    assert seen == "3"


async def _touch(flow: Flow, household_id: UUID) -> None:
    await flow.owner.execute(
        "UPDATE registry.household SET poverty_status = 'poor-2' WHERE id = $1", household_id
    )
