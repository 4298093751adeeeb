"""What others are told of households: that something changed, where, and never what about whom."""

import json
from dataclasses import replace
from typing import Any

from services.registry.areas.codes import districts_of
from shared.contracts.events import HouseholdChanged, HouseholdsImported, PayeeAccountsChanged
from shared.events import Published
from tests.registry.flow import BATTAMBANG, Flow, Row, proposes, rows
from tests.registry.test_accounts import ALONE, OTHER, account_of, households, put, send
from tests.server import eventually

PERSON = Row(
    "KH-SECRET-REG-77",
    "150101",
    head_name="ស្រី Secret-Name",
    phone="012345678",
    id_number="SECRETID99",
    account="+85598765432",
)
SECRETS = ("SECRET", "Secret", "ស្រី", "12345678", "98765432", "77777777")


async def told(flow: Flow, fact: type[Published]) -> list[dict[str, Any]]:
    """The data of every event of a type, in order; nothing personal is in any of them."""
    rows = await flow.owner.fetch(
        "SELECT type, subject, data FROM events.event ORDER BY epoch, transaction_id, sequence"
    )
    for row in rows:
        for secret in SECRETS:
            assert secret not in f"{row['subject']} {row['data']}"
    return [json.loads(row["data"]) for row in rows if row["type"] == fact.type]


async def test_an_import_is_told_with_its_counts_and_its_districts(flow: Flow) -> None:
    given = [*rows(3), *rows(2, commune="020205"), PERSON]
    first = await send(flow, given)
    changed = [replace(given[0], members=9), *given[1:], *rows(1, commune="010201")]
    second = await send(flow, changed)
    await send(flow, changed)

    assert await told(flow, HouseholdsImported) == [
        {"import_id": first["id"], "added": 6, "changed": 0, "areas": ["0201", "0202", "1501"]},
        {"import_id": second["id"], "added": 1, "changed": 1, "areas": ["0102", "0201"]},
    ]
    assert await told(flow, HouseholdChanged) == []


async def test_a_large_import_is_told_block_by_block_and_adds_up(flow: Flow) -> None:
    given = rows(12_000)
    ended = await send(flow, given)

    blocks = await told(flow, HouseholdsImported)
    assert 1 < len(blocks) < 12
    assert sum(block["added"] for block in blocks) == ended["households_added"] == len(given)
    assert {tuple(block["areas"]) for block in blocks} == {("0201",)}


async def test_an_account_that_one_person_changes_is_told_once(flow: Flow) -> None:
    await send(flow, [PERSON])
    (household_id,) = await households(flow, [PERSON])
    for _ in range(2):
        assert (await put(flow, household_id)).status_code == 200

    assert await told(flow, HouseholdChanged) == [
        {"household_id": household_id, "changes": ["payee-account"], "areas": ["150101"]}
    ]


async def test_an_account_that_two_persons_change_is_told_when_the_second_has_agreed(
    flow: Flow,
) -> None:
    flow.service.app.state.settings.account_changes_alone = 0
    await send(flow, [PERSON])
    (household_id,) = await households(flow, [PERSON])
    asked = await put(flow, household_id)
    assert proposes(asked)
    assert await told(flow, HouseholdChanged) == []
    await flow.decided(asked)

    assert [fact["household_id"] for fact in await told(flow, HouseholdChanged)] == [household_id]


async def test_accounts_of_an_import_are_told_together(flow: Flow) -> None:
    flow.service.app.state.settings.account_changes_alone = ALONE
    given = [*rows(2), *rows(1, commune="150102")]
    await send(flow, given)
    other = [replace(row, **OTHER) for row in given]
    ended = await send(flow, other)

    assert await told(flow, PayeeAccountsChanged) == [
        {"import_id": ended["id"], "count": 3, "areas": ["0201", "1501"]}
    ]
    assert await told(flow, HouseholdChanged) == []


async def test_accounts_of_an_import_that_two_persons_want_are_told_as_the_worker_changes_them(
    working: Flow,
) -> None:
    working.service.app.state.settings.account_changes_alone = 0
    given = rows(3)
    await send(working, given)
    ids = await households(working, given)
    await working.open(BATTAMBANG)
    ended = await send(working, [replace(row, **OTHER) for row in given])
    assert await told(working, PayeeAccountsChanged) == []
    (waits,) = ended["account_changes"]
    await working.approve({"id": waits["approval_id"]})

    async def are_changed() -> bool:
        return await account_of(working, ids[-1]) == OTHER["account"]

    await eventually(are_changed)
    facts = await told(working, PayeeAccountsChanged)
    assert sum(fact["count"] for fact in facts) == 3
    assert {fact["import_id"] for fact in facts} == {ended["id"]}


def test_districts_are_those_of_the_communes() -> None:
    assert districts_of(["020101", "010203", "020199", "010203"]) == ["0102", "0201"]
