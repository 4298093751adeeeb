"""What a household is sealed with is its own, and its erasure destroys it: wherever copies lie."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.persons import PersonalData
from services.registry.imports import repository
from services.registry.upkeep.reindexing import Reindexing
from services.registry.upkeep.resealing import sealed_columns
from shared import resealing
from shared.personal_data import CannotDecrypt, MaterialMissing, is_of_material
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, store
from tests.registry.test_acts import FAMILY, HEAD, SPOUSE, act, done, family
from tests.registry.test_import_members import (
    HEADINGS,
    imported,
    member,
    members_file,
)
from tests.registry.test_import_runs import read
from tests.registry.test_keys import Killed, Restart, dying, new_key, started
from tests.registry.test_keys import restart as restart
from tests.registry.test_keys import small_sets as small_sets

SEALED = {
    "household": ("id", "id", "person_sealed"),
    "member": ("household_id", "id", "person_sealed"),
    "earlier_person": ("household_id", "person_id", "person_sealed"),
}
"""Where persons are sealed: the column of the household, what a value is bound to, the value."""


async def copies(flow: Flow, household_id: str) -> dict[tuple[str, UUID], tuple[UUID, bytes]]:
    """What is sealed of a household, by table and row: with what each is bound to."""
    found: dict[tuple[str, UUID], tuple[UUID, bytes]] = {}
    for table, (household, bound_to, sealed) in SEALED.items():
        for row in await flow.owner.fetch(
            f"SELECT id, {bound_to} AS bound_to, {sealed} AS sealed FROM registry.{table} "
            f"WHERE {household} = $1",
            UUID(household_id),
        ):
            found[table, row["id"]] = (row["bound_to"], row["sealed"])
    return found


async def put_back(flow: Flow, kept: Mapping[tuple[str, UUID], tuple[UUID, bytes]]) -> None:
    """As who restores a copy of all tables but the one of what households are sealed with."""
    for (table, id), (_, sealed) in kept.items():
        await flow.owner.execute(
            f"UPDATE registry.{table} SET person_sealed = $2 WHERE id = $1", id, sealed
        )


def of_app(flow: Flow) -> PersonalData:
    personal_data: PersonalData = flow.service.app.state.personal_data
    return personal_data


async def erased(flow: Flow, household_id: str) -> None:
    path = f"/households/{household_id}"
    await done(flow, f"{path}/archive", {"because": "moved-away"})
    await done(flow, f"{path}/erasure", {}, two=True)


async def test_what_was_erased_opens_no_more_where_a_copy_of_it_is_put_back(flow: Flow) -> None:
    household_id = await family(flow)
    (beside,) = rows(1, begin=1, head_name="Chea Sopheap")
    await flow.register([beside])
    neighbour = await flow.household_id(beside.registration_number)
    await store(flow, {UUID(neighbour): [Person(name="Chea Sopheap")]})
    path = f"/households/{household_id}"
    person = {"name": "Sok Chanthy", "phone": "012345678"}
    await act(flow, path, {"person": person}, method="PATCH")
    before = await flow.get(path)
    day = before["changed_at"][:10]
    kept = await copies(flow, household_id)
    assert {table for table, _ in kept} == set(SEALED)
    material = await flow.owner.fetchval(
        "SELECT material FROM registry.household_key WHERE household_id = $1", UUID(household_id)
    )
    persons = of_app(flow).persons
    for bound_to, sealed in kept.values():
        # As it is with the household's own: so what follows can fail.
        opened = persons.of(material).decrypt(sealed, bound_to=bound_to.bytes).decode()
        assert any(str(each.name) in opened for each in FAMILY), opened

    await erased(flow, household_id)
    await put_back(flow, kept)
    lost = await flow.owner.fetchval(
        "SELECT material FROM registry.household_key WHERE household_id = $1", UUID(household_id)
    )
    assert lost is None
    others = await flow.owner.fetch(
        "SELECT material FROM registry.household_key WHERE material IS NOT NULL"
    )
    for bound_to, sealed in kept.values():
        with pytest.raises(MaterialMissing):
            persons.decrypt(sealed, bound_to=bound_to.bytes)
        for guess in (*(row[0] for row in others), os.urandom(32), bytes(32)):
            with pytest.raises(CannotDecrypt):
                persons.of(guess).decrypt(sealed, bound_to=bound_to.bytes)

    # Also where the copy is from before it was archived: whoever is erased stays so.
    await flow.owner.execute(
        "UPDATE registry.household SET erased_at = NULL, archived_at = NULL, "
        "archived_because = NULL WHERE id = $1",
        UUID(household_id),
    )
    await flow.owner.execute(
        "UPDATE registry.member SET left_on = NULL, left_because = NULL WHERE household_id = $1",
        UUID(household_id),
    )
    told = [
        await flow.get(path),
        await flow.get(f"{path}/members"),
        await flow.get(f"{path}/history"),
        await flow.get(path, as_of=day),
        await flow.get("/households", area="020101"),
        (await flow.client.get("/household-exports", params={"persons": True})).text,
        (
            await flow.client.get("/household-exports", params={"persons": True, "what": "members"})
        ).text,
        (await flow.client.post("/households/search-by-name", json={"name": HEAD.name})).text,
    ]
    assert set(told[0]["person"].values()) == {None}
    assert [each["name"] for each in told[1]["items"]] == [None] * len(FAMILY)
    for shown in told:
        for value in (str(HEAD.name), str(SPOUSE.name), "12345678"):
            assert value not in str(shown), value
    assert (await flow.get(f"/households/{neighbour}/members"))["items"][0]["name"]


async def before_the_migration(flow: Flow, household_id: str) -> None:
    """Have a household sealed as it was before each had something of its own."""
    material = await flow.owner.fetchval(
        "SELECT material FROM registry.household_key WHERE household_id = $1", UUID(household_id)
    )
    persons = of_app(flow).persons
    kept = {}
    for place, (bound_to, sealed) in (await copies(flow, household_id)).items():
        plain = persons.of(material).decrypt(sealed, bound_to=bound_to.bytes)
        kept[place] = (bound_to, persons.encrypt(plain, bound_to=bound_to.bytes))
    await put_back(flow, kept)
    await flow.owner.execute(
        "DELETE FROM registry.household_key WHERE household_id = $1", UUID(household_id)
    )


async def ways(flow: Flow) -> set[bool]:
    """Whether persons are sealed with what is their households' own."""
    found = await flow.owner.fetch(
        "SELECT get_byte(person_sealed, 0) FROM registry.household WHERE person_sealed <> '' "
        "UNION SELECT get_byte(person_sealed, 0) FROM registry.member WHERE person_sealed <> ''"
    )
    return {is_of_material(bytes([row[0]])) for row in found}


async def keys(flow: Flow) -> dict[UUID, bytes | None]:
    return {
        row["household_id"]: row["material"]
        for row in await flow.owner.fetch(
            "SELECT household_id, material FROM registry.household_key"
        )
    }


async def test_who_was_sealed_before_is_given_something_of_their_own_by_a_command_that_died(
    flow: Flow, restart: Restart, environment: dict[str, str]
) -> None:
    await started(flow, restart())
    ids = [await family(flow, number) for number in range(5)]
    gone = await family(flow, 8)
    await erased(flow, gone)
    for household_id in ids:
        await before_the_migration(flow, household_id)
    assert await ways(flow) == {False}
    shown = [await flow.get(f"/households/{id}") for id in ids]
    listed = [await flow.get(f"/households/{id}/members") for id in ids]
    assert {household["person"]["name"] for household in shown} == {shown[0]["person"]["name"]}

    # What is done with one gives it something, and what was sealed before opens still.
    spouse = listed[0]["items"][1]["id"]
    body = {"name": "Chan Sopheap"}
    path = f"/households/{ids[0]}/members/{spouse}"
    answer = await flow.client.patch(path, json=body, headers=flow.key())
    assert answer.status_code == 200, answer.text
    assert set(await keys(flow)) == {UUID(ids[0]), UUID(gone)}
    assert await ways(flow) == {False, True}
    shown[0] = await flow.get(f"/households/{ids[0]}")
    listed[0] = await flow.get(f"/households/{ids[0]}/members")
    assert [each["name"] for each in listed[0]["items"]][:2] == [HEAD.name, "Chan Sopheap"]

    both = json.dumps({**json.loads(environment["PERSON_KEYS"]), "2": new_key()})
    settings = restart(PERSON_KEYS=both)
    await started(flow, settings)
    database = flow.service.app.state.database
    columns = sealed_columns(settings)
    told: list[str] = []
    assert not await resealing.check(database, columns, tell=told.append)
    assert (
        "registry.household.person_sealed: 5 are not sealed with what is their owners' own." in told
    )
    with pytest.raises(Killed):
        await resealing.reseal(database, columns, schema="registry", tell=dying(1))
    assert [await flow.get(f"/households/{id}") for id in ids] == shown
    first = await keys(flow)
    assert 2 <= len(first) < 6
    assert await resealing.reseal(database, columns, schema="registry", tell=told.append)
    assert await ways(flow) == {True}
    second = await keys(flow)
    assert {id: second[id] for id in first} == first
    assert len({material for material in second.values() if material}) == len(ids)
    assert second[UUID(gone)] is None
    assert "PERSON_KEYS: no row needs version 1 any more: it can be taken out." in told
    restart(PERSON_KEYS=json.dumps({"2": json.loads(both)["2"]}))
    assert [await flow.get(f"/households/{id}") for id in ids] == shown
    assert [await flow.get(f"/households/{id}/members") for id in ids] == listed
    history = (await flow.get(f"/households/{ids[0]}/history"))["items"]
    assert "Chan Sophea" in [
        change["person_before"]["name"] for change in history if change["person_before"]
    ]


async def test_two_imports_at_once_give_a_household_one_thing_of_its_own(flow: Flow) -> None:
    given = rows(6)
    await flow.register(given)
    for row in given[:3]:
        await before_the_migration(flow, await flow.household_id(row.registration_number))
    new = rows(4, begin=20)
    await asyncio.gather(
        *(
            flow.register([replace(row, head_name=f"Sok {number}") for row in (*order, *new)])
            for number, order in enumerate((given, given[::-1]))
        )
    )
    everybody = await flow.get("/households", area="020101", limit=50)
    assert len(everybody["items"]) == 10
    assert {household["person"]["name"] for household in everybody["items"]} <= {"Sok 0", "Sok 1"}
    found = await keys(flow)
    assert set(found) == {UUID(household["id"]) for household in everybody["items"]}
    assert len(set(found.values())) == 10
    assert await ways(flow) == {True}


@pytest.mark.parametrize("of_members", [False, True])
async def test_whoever_is_erased_while_a_file_is_read_is_not_sealed_anew(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, of_members: bool
) -> None:
    row = replace(rows(1)[0], registration_number="KH-00001")
    (other,) = rows(1, begin=5)
    if of_members:
        await imported(flow, [HEADINGS, member(1, 1)])
    else:
        await flow.register([row, other])
    household_id = await flow.household_id(row.registration_number)
    looked: list[tuple[Any, ...]] = []

    def meanwhile(store_block: Callable[..., Any]) -> Callable[..., Any]:
        async def storing(*given: Any, **named: Any) -> None:
            if not looked:
                looked.append(given)
                await erased(flow, household_id)
            await store_block(*given, **named)

        return storing

    monkeypatch.setattr(repository, "store_block", meanwhile(repository.store_block))
    if of_members:
        table = [HEADINGS, member(1, 1, name="Sok Vanna"), member(1, 2), member(2, 1)]
        _, run = await imported(flow, table)
        assert run["status"] == "completed"
        assert (run["households_added"], run["members_added"]) == (1, 1)
    else:
        ended = await flow.register(
            [replace(row, head_name="Sok Vanna"), replace(other, head_name="Sok Bopha")]
        )
        assert (ended["households_changed"], ended["households_unchanged"]) == (1, 1)
    assert looked
    (left,) = await flow.owner.fetch(
        "SELECT person_sealed, name_tokens, phone_index, members_listed FROM registry.household "
        "WHERE id = $1",
        UUID(household_id),
    )
    assert (left["person_sealed"], left["name_tokens"], left["phone_index"]) == (b"", None, None)
    assert (await keys(flow))[UUID(household_id)] is None
    for each in await flow.owner.fetch(
        "SELECT person_sealed, name_tokens, left_on FROM registry.member WHERE household_id = $1",
        UUID(household_id),
    ):
        assert (each["person_sealed"], each["name_tokens"]) == (b"", None)
        assert each["left_on"] is not None


async def test_a_file_that_names_who_was_erased_changes_nothing_under_any_index_key(
    flow: Flow, restart: Restart, environment: dict[str, str]
) -> None:
    row = replace(rows(1)[0], registration_number="KH-00001")
    await imported(flow, [HEADINGS, member(1, 1), member(1, 2)])
    household_id = await flow.household_id(row.registration_number)
    await erased(flow, household_id)
    before = await flow.owner.fetch("SELECT * FROM registry.member ORDER BY id")
    table = [HEADINGS, member(1, 1, name="Sok Vanna"), member(1, 3, name="Sok Bopha"), member(4, 1)]

    async def named(added: int) -> None:
        ended = await flow.register([row, *rows(1, begin=30)])
        assert (ended["households_unchanged"], ended["status"]) == (2 - added, "completed")
        import_id, _ = await members_file(flow, table)
        for kind in ("dry-run", "import"):
            run = await read(flow, import_id, kind)
            assert run["status"] == "completed", run
            assert run["households_added"] == added, kind
            assert (run["members_added"], run["members_left"]) == (added, 2), kind
        assert (
            await flow.owner.fetch(
                "SELECT * FROM registry.member WHERE household_id = $1 ORDER BY id",
                UUID(household_id),
            )
            == before
        )
        assert set((await flow.get(f"/households/{household_id}"))["person"].values()) == {None}

    await named(1)
    old, new = environment["BLIND_INDEX_KEY"], new_key()
    settings = restart(BLIND_INDEX_KEY=new, BLIND_INDEX_KEY_OTHER=old, HOUSEHOLD_ID_KEY=old)
    await named(0)
    reindexed = Reindexing(flow.service.app.state.database, settings, tell=lambda _: None)
    assert await reindexed.run(only_look=False)
    restart(BLIND_INDEX_KEY_OTHER=None)
    await named(0)
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.household") == 3
