"""Keys of personal data are changed while imports and searches go on, by commands that may die."""

import asyncio
import base64
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.__main__ import main
from services.registry.households.persons import personal_data_from
from services.registry.members.shape import FOUND
from services.registry.settings import ApiSettings
from services.registry.upkeep import reindexing
from services.registry.upkeep.reindexing import Reindexing
from services.registry.upkeep.resealing import sealed_columns
from shared import resealing
from shared.database import Database
from shared.known_keys import KeyNeeded, require_known_keys
from tests.registry.flow import Flow, Row, rows
from tests.registry.people import Person, store

Restart = Callable[..., ApiSettings]


class Killed(Exception):
    """The command's process is gone, between two of its commits."""


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(autouse=True)
def small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "CHUNK_ROWS", 3)
    monkeypatch.setattr(reindexing, "CHUNK_ROWS", 3)


@pytest.fixture
def restart(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> Restart:
    """``restart(PERSON_KEYS=…)`` restarts the API with these variables; None takes one out."""

    def again(**changes: str | None) -> ApiSettings:
        for name, value in changes.items():
            monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
        settings = ApiSettings()
        flow.service.app.state.settings = settings
        flow.service.app.state.personal_data = personal_data_from(settings)
        return settings

    return again


def dying(after: int) -> resealing.Tell:
    """Dies when it has told of so many sets."""
    told = []

    def tell(line: str) -> None:
        told.append(line)
        if len(told) == after:
            raise Killed

    return tell


def with_phones(count: int, *, begin: int = 0) -> list[Row]:
    return [
        replace(row, phone=f"+8551200{at:04d}", id_number=f"01020{at:04d}")
        for at, row in enumerate(rows(count, begin=begin), begin)
    ]


async def found(flow: Flow, given: Sequence[Row]) -> dict[str, str]:
    """The household of each row, by number; each is found by everything that finds one."""
    ids: dict[str, str] = {}
    for row in given:
        for by in ("registration_number", "phone", "id_number", "account"):
            answer = await flow.client.post("/households/search", json={by: getattr(row, by)})
            [household] = answer.json()["items"]
            assert ids.setdefault(row.registration_number, household["id"]) == household["id"]
            assert household["person"]["name"] == row.head_name
    return ids


async def versions(flow: Flow) -> set[int]:
    found = await flow.owner.fetch(
        "SELECT get_byte(person_sealed, 1) FROM registry.household "
        "UNION SELECT get_byte(account_sealed, 1) FROM registry.payee_account "
        "UNION SELECT get_byte(person_sealed, 1) FROM registry.member"
    )
    return {row[0] for row in found}


async def started(flow: Flow, settings: ApiSettings) -> None:
    """What a process does first; raises KeyNeeded."""
    database: Database = flow.service.app.state.database
    await require_known_keys(database, list(settings.key_rings()), schema="registry")


async def test_rows_are_sealed_anew_by_a_command_that_died_while_imports_and_searches_go_on(
    flow: Flow, restart: Restart, environment: dict[str, str]
) -> None:
    await started(flow, restart())
    given = with_phones(7)
    await flow.register(given)
    before = await found(flow, given)
    members = {UUID(before[given[0].registration_number]): [Person(), Person(name="Sok Dara")]}
    await store(flow, members)
    both = {
        name: json.dumps({**json.loads(environment[name]), "2": new_key()})
        for name in ("PERSON_KEYS", "ACCOUNT_KEYS")
    }
    only_new = {name: json.dumps({"2": json.loads(keys)["2"]}) for name, keys in both.items()}
    settings = restart(**both)
    await started(flow, settings)
    database: Database = flow.service.app.state.database

    with pytest.raises(Killed):
        await resealing.reseal(database, sealed_columns(settings), schema="registry", tell=dying(2))
    assert await versions(flow) == {1, 2}
    assert not await resealing.check(database, sealed_columns(settings), tell=lambda _: None)
    with pytest.raises(KeyNeeded, match=r"PERSON_KEYS is without a key .* version 1"):
        await started(flow, restart(**only_new))

    settings = restart(**both)
    told: list[str] = []
    columns = sealed_columns(settings)
    held = flow.owner.transaction()
    await held.start()
    await flow.owner.execute(
        "SELECT FROM registry.household WHERE id = $1 FOR UPDATE",
        before[given[6].registration_number],
    )
    sealing = asyncio.create_task(
        resealing.reseal(database, columns, schema="registry", tell=told.append)
    )
    changed = [replace(row, members=7) for row in given[:5]]
    ended = await flow.register([*changed, given[5], *with_phones(2, begin=7)])
    assert (ended["households_added"], ended["households_changed"]) == (2, 5)
    assert await found(flow, given) == before
    await held.rollback()
    assert await sealing
    assert await versions(flow) == {2}
    listed = await flow.get(f"/households/{before[given[0].registration_number]}/members")
    assert [member["name"] for member in listed["items"]] == ["Sok Chanthy", "Sok Dara"]
    assert "PERSON_KEYS: no row needs version 1 any more: it can be taken out." in told

    await started(flow, restart(**only_new))
    assert await found(flow, given) == before
    exchanged = {"PERSON_KEYS": json.dumps({"2": new_key()})}
    with pytest.raises(KeyNeeded, match="Never change a key"):
        await started(flow, restart(**exchanged))


async def test_persons_are_found_by_both_keys_until_all_are_found_by_the_new_one(
    flow: Flow, restart: Restart, environment: dict[str, str]
) -> None:
    old, new = environment["BLIND_INDEX_KEY"], new_key()
    await started(flow, restart())
    given = with_phones(7)
    await flow.register(given)
    before = await found(flow, given)
    people = [
        Person(id_number="010203045", programmes=("covid-cash",)),
        Person(phone="+85512000001", reference="IDP-1", programmes=("scholarship",)),
        Person(),
        Person(birth_date=date(2025, 1, 1)),
    ]
    members = {UUID(before[given[0].registration_number]): people}
    await store(flow, members)
    moved = replace(given[4], account="+85599999999")
    account = {"provider_code": "mekong", "account": moved.account}
    changed = await flow.client.put(
        f"/households/{before[moved.registration_number]}/payee-account", json=account
    )
    assert changed.status_code == 200
    as_they_are = [*given[:4], moved, *given[5:]]

    with pytest.raises(KeyNeeded, match="BLIND_INDEX_KEY is without a key"):
        await started(flow, restart(BLIND_INDEX_KEY=new))
    with pytest.raises(KeyNeeded, match="households would get other ids"):
        await started(flow, restart(BLIND_INDEX_KEY_OTHER=old))
    await started(flow, restart(BLIND_INDEX_KEY=old, BLIND_INDEX_KEY_OTHER=new))
    settings = restart(BLIND_INDEX_KEY=new, BLIND_INDEX_KEY_OTHER=old, HOUSEHOLD_ID_KEY=old)
    await started(flow, settings)
    database: Database = flow.service.app.state.database

    with pytest.raises(Killed):
        await Reindexing(database, settings, tell=dying(2)).run(only_look=False)
    assert await found(flow, as_they_are) == before
    assert (await flow.register(given))["households_unchanged"] == 7
    assert not await Reindexing(database, settings, tell=lambda _: None).run(only_look=True)
    running = asyncio.create_task(
        Reindexing(database, settings, tell=lambda _: None).run(only_look=False)
    )
    later = with_phones(2, begin=7)
    ended = await flow.register([*given, *later])
    assert (ended["households_added"], ended["households_unchanged"]) == (2, 7)
    assert await found(flow, as_they_are) == before
    assert await running

    settings = restart(BLIND_INDEX_KEY_OTHER=None)
    await started(flow, settings)
    # Members are known again by the new key alone, and found by it.
    assert await store(flow, members) == (0, 0, 4, 0)
    index_of = flow.service.app.state.personal_data.index.indexes_of
    for known in FOUND:
        wanted = {
            index_of(known)(value) for person in people if (value := vars(person)[known.name])
        }
        assert known.found_by is not None
        stored = await flow.owner.fetch(
            f"SELECT {known.found_by.column} AS found FROM registry.member "
            f"WHERE {known.found_by.column} IS NOT NULL"
        )
        assert {row["found"] for row in stored} == wanted
    # What an officer changed since the import stays, as before.
    assert (await flow.register([*given, *later]))["households_unchanged"] == 9
    everybody = await found(flow, [*as_they_are, *later])
    assert everybody == before | everybody
    # A household that the database has lost comes back as whom it was, under any later key.
    for lost in (given[0], later[0]):
        household_id = everybody[lost.registration_number]
        for table, column in (("payee_account", "household_id"), ("household", "id")):
            await flow.owner.execute(
                f"DELETE FROM registry.{table} WHERE {column} = $1", household_id
            )
    assert (await flow.register([*given, *later]))["households_added"] == 2
    assert await found(flow, [given[0], later[0]]) == {
        row.registration_number: everybody[row.registration_number] for row in (given[0], later[0])
    }


async def test_a_household_sealed_without_its_number_keeps_the_other_key_until_it_is_imported(
    flow: Flow, restart: Restart, environment: dict[str, str]
) -> None:
    old, new = environment["BLIND_INDEX_KEY"], new_key()
    [row] = given = with_phones(1)
    await flow.register(given)
    [(_, household_id)] = (await found(flow, given)).items()
    personal_data = flow.service.app.state.personal_data
    sealed = personal_data.persons.encrypt(
        orjson.dumps([row.head_name, row.phone, row.id_number]), bound_to=UUID(household_id).bytes
    )
    await flow.owner.execute("UPDATE registry.household SET person_sealed = $1", sealed)
    settings = restart(BLIND_INDEX_KEY=new, BLIND_INDEX_KEY_OTHER=old, HOUSEHOLD_ID_KEY=old)
    database: Database = flow.service.app.state.database
    told: list[str] = []
    assert not await Reindexing(database, settings, tell=told.append).run(only_look=False)
    assert "import these households again while both keys are set" in told[-1]
    assert (await flow.register([replace(row, members=7)]))["households_changed"] == 1
    assert await Reindexing(database, settings, tell=told.append).run(only_look=False)
    assert (await found(flow, given))[row.registration_number] == household_id


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["reseal", "registry"], 0, "PERSON_KEYS: every row is sealed with version 1."),
        (["reseal", "registry", "--check"], 0, ""),
        (["reindex", "--check"], 0, "Everybody is found by BLIND_INDEX_KEY."),
        (["reseal", "triggers"], "Give one of registry, payments: nobody else", ""),
    ],
)
def test_the_commands(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: Any,
    said: str,
) -> None:
    # Its log would go to the output of this test alone, and outlive it.
    monkeypatch.setattr("services.__main__.configure_logging", lambda **_: None)
    monkeypatch.setattr("sys.argv", ["services", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert str(code).startswith(status) if isinstance(status, str) else int(code or 0) == status
    assert said in capsys.readouterr().out
