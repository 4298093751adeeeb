"""Importing households: validated row by row, sealed, repeatable, open about what is left out."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.local.environment import PROVIDERS
from services.registry.households.shape import HEADERS
from services.registry.imports.schemas import CSV_EXAMPLE
from shared.contracts.events import ConfiguredProvider, ProvidersConfigured
from tests.registry.flow import CSV, Flow, Row, body_of, rows
from tests.server import eventually

PERSON = Row(
    "KH-SECRET-REG-77",
    head_name="ស្រី Secret-Name",
    phone="012345678",
    id_number="SECRETID99",
    account="+85598765432",
)
SECRETS = ("SECRET-REG", "Secret-Name", "ស្រី", "12345678", "SECRETID99", "98765432")


async def test_households_are_registered_and_found_again(flow: Flow) -> None:
    ended = await flow.register([*rows(3), PERSON])
    assert ended["status"] == "completed"
    assert (ended["rows_read"], ended["households_added"], ended["rows_rejected"]) == (4, 4, 0)
    found = (await flow.client.post("/households/search", json={"phone": "+85512345678"})).json()
    (household,) = found["items"]
    assert household["person"] == {
        "name": "ស្រី Secret-Name",
        "phone": "+85512345678",
        "id_number": "SECRETID99",
        "registration_number": "KH-SECRET-REG-77",
    }
    assert household["payee_account"]["account"] == "+85598765432"
    assert household["poverty_status"] == "poor-1"


async def test_the_same_file_again_changes_nothing(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "test"})
    body = body_of([*rows(5), PERSON])
    await flow.send(made["id"], body)
    before = await flow.owner.fetch("SELECT household::text FROM registry.household ORDER BY id")
    again = await flow.send(made["id"], body)
    assert (again["households_added"], again["households_unchanged"]) == (0, 6)
    assert before == await flow.owner.fetch(
        "SELECT household::text FROM registry.household ORDER BY id"
    )
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.payee_account") == 6


async def test_a_changed_row_changes_its_household_and_nothing_else(flow: Flow) -> None:
    first, second = rows(2)
    await flow.register([first, second])
    household_id = await flow.household_id(first.registration_number)
    ended = await flow.register([replace(first, members=7, head_name="Other"), second])
    assert (ended["households_changed"], ended["households_unchanged"]) == (1, 1)
    household = await flow.get(f"/households/{household_id}")
    assert (household["members"], household["person"]["name"]) == (7, "Other")
    assert household["payee_account"]["account"] == first.account
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.payee_account") == 2


async def test_a_changed_account_ends_the_earlier_one_and_an_empty_one_keeps_it(flow: Flow) -> None:
    (row,) = rows(1)
    await flow.register([row])
    await flow.register([replace(row, account="+85599999999")])
    household_id = await flow.household_id(row.registration_number)
    await flow.register([replace(row, members=2, provider_code="", account="")])
    household = await flow.get(f"/households/{household_id}")
    assert household["payee_account"]["account"] == "+85599999999"
    accounts = await flow.owner.fetch(
        "SELECT ended_at IS NULL AS runs FROM registry.payee_account ORDER BY began_at, runs"
    )
    assert [account["runs"] for account in accounts] == [False, True]


FAULTS = [
    ({"commune_code": "999999"}, "commune_code", "unknown"),
    ({"commune_code": "20101"}, "commune_code", "unknown"),
    ({"commune_code": "02"}, "commune_code", "unknown"),
    ({"poverty_status": "poor"}, "poverty_status", "unknown"),
    ({"members": "0"}, "members", "out-of-range"),
    ({"members": "61"}, "members", "out-of-range"),
    ({"members": "four"}, "members", "out-of-range"),
    ({"members": "1", "children_0_5": "2"}, "children_0_5", "out-of-range"),
    ({"pregnant": "-1"}, "pregnant", "out-of-range"),
    ({"disabled": ""}, "disabled", "out-of-range"),
    ({"elderly_60": "1.0"}, "elderly_60", "out-of-range"),
    ({"head_name": "  "}, "head_name", "malformed"),
    ({"head_name": "x" * 201}, "head_name", "malformed"),
    ({"head_name": "a\tb"}, "head_name", "malformed"),
    ({"phone": "+1 555 0100"}, "phone", "malformed"),
    ({"id_number": "12"}, "id_number", "malformed"),
    ({"registration_number": "!"}, "registration_number", "malformed"),
    ({"provider_code": ""}, "provider_code", "malformed"),
    ({"account": ""}, "account", "malformed"),
    ({"provider_code": "Wing Bank"}, "provider_code", "malformed"),
    ({"account": "++"}, "account", "malformed"),
]


async def test_a_bad_row_is_left_out_alone_and_never_repeated(flow: Flow) -> None:
    good = rows(2)
    bad = [replace(PERSON, registration_number=f"BAD-{at}") for at in range(len(FAULTS))]
    bad = [replace(row, **fields) for row, (fields, _, _) in zip(bad, FAULTS, strict=True)]
    made = await flow.post("/imports", {"source": "test"})
    ended = await flow.send(made["id"], body_of([good[0], *bad, good[1]]))
    assert (ended["households_added"], ended["rows_rejected"]) == (2, len(FAULTS))
    page = await flow.client.get(f"/imports/{made['id']}/rejections", params={"limit": 500})
    told = [(fault["line"], fault["column"], fault["code"]) for fault in page.json()["items"]]
    assert told == [(at, column, code) for at, (_, column, code) in enumerate(FAULTS, start=3)]
    for secret in (*SECRETS, "BAD-", "999999", "four", "555"):
        assert secret not in page.text


async def test_rows_that_cannot_be_one_are_told_by_their_line(flow: Flow) -> None:
    first, second = rows(2)
    body = body_of([first, replace(second, head_name='A "quoted"\nname'), first]).encode()
    body += b"only,three,cells\n\n" + b",".join([b"\xff"] * len(HEADERS)) + b"\n"
    made = await flow.post("/imports", {"source": "test"})
    ended = await flow.send(made["id"], body)
    assert (ended["households_added"], ended["rows_rejected"]) == (1, 4)
    rejections = (await flow.get(f"/imports/{made['id']}/rejections", limit=500))["items"]
    kinds = {(fault["line"], fault["column"], fault["code"]) for fault in rejections}
    # The row of line 3 spans two lines, and line 7 is empty.
    assert (3, "head_name", "malformed") in kinds
    assert (5, "registration_number", "repeated") in kinds
    assert (6, "row", "cells") in kinds
    assert (8, "head_name", "malformed") in kinds


async def test_rejections_are_those_of_the_last_sending_page_by_page(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "test"})
    await flow.send(made["id"], body_of(rows(5, members="none")))
    first = await flow.get(f"/imports/{made['id']}/rejections", limit=3)
    rest = await flow.get(f"/imports/{made['id']}/rejections", cursor=first["next_cursor"])
    assert [fault["line"] for fault in first["items"] + rest["items"]] == [2, 3, 4, 5, 6]
    await flow.send(made["id"], body_of(rows(5)))
    assert (await flow.get(f"/imports/{made['id']}/rejections"))["items"] == []


async def test_a_file_with_too_many_faults_is_stopped_and_says_where(flow: Flow) -> None:
    """What came before is saved and told; nothing behind it is read, and sent again it goes on."""
    flow.service.app.state.settings.import_maximum_rejections = 5
    made = await flow.post("/imports", {"source": "test"})
    good, bad = rows(20), rows(20, begin=100, members="none", poverty_status="rich")
    mixed = [row for pair in zip(good, bad, strict=True) for row in pair]
    answer = await flow.client.put(
        f"/imports/{made['id']}/rows", content=body_of(mixed), headers=CSV
    )
    stopped = await flow.get(f"/imports/{made['id']}")
    rejections = (await flow.get(f"/imports/{made['id']}/rejections"))["items"]

    assert answer.status_code == 422
    told = "It was stopped at line 7: with that line it would have more than 5 faults"
    assert told in answer.json()["detail"]
    assert "The rows up to line 6 are saved. Correct the file" in answer.json()["detail"]
    assert (stopped["status"], stopped["stopped_at_line"]) == ("interrupted", 7)
    assert (stopped["rows_read"], stopped["rows_rejected"]) == (5, 2)
    assert stopped["households_added"] == 3
    assert [fault["line"] for fault in rejections] == [3, 3, 5, 5]

    ended = await flow.send(made["id"], body_of([*good, *bad[:2], good[0]]))
    assert (ended["status"], ended["stopped_at_line"]) == ("completed", None)
    assert (ended["households_added"], ended["households_unchanged"]) == (17, 3)
    assert ended["rows_rejected"] == 3


async def test_faults_are_counted_over_the_whole_file(flow: Flow) -> None:
    """Also of short rows, of which the megabytes of a file hold millions, and of repeated ones."""
    flow.service.app.state.settings.import_maximum_rejections = 9_000
    made = await flow.post("/imports", {"source": "test"})
    repeated = body_of(rows(4_000) + rows(4_000)).encode()
    answer = await flow.client.put(
        f"/imports/{made['id']}/rows", content=repeated + b"a\n" * 1_000_000, headers=CSV
    )
    stopped = await flow.get(f"/imports/{made['id']}")

    assert answer.status_code == 422
    assert (stopped["rows_read"], stopped["rows_rejected"]) == (13_000, 9_000)
    assert stopped["stopped_at_line"] == 13_002
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.import_rejection") == 9_000


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (
            b"number,commune\n1,2\n",
            422,
            "village_code. Nothing of it is saved. Correct the file and send it again.",
        ),
        (b"\n\n", 422, "The first line must be: registration_number,"),
        (body_of(rows(1)).encode() + b'"', 422, "inside a quoted cell. Nothing of it is saved."),
        (b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", 422, "an Excel workbook (.xlsx)"),
        (body_of(rows(1)).encode("utf-16"), 422, "The body is text in UTF-16, not CSV. Save it as"),
    ],
)
async def test_a_body_that_is_no_import_is_refused(
    flow: Flow, body: bytes, status: int, part: str
) -> None:
    made = await flow.post("/imports", {"source": "test"})
    answer = await flow.client.put(f"/imports/{made['id']}/rows", content=body, headers=CSV)
    assert answer.status_code == status
    assert part in answer.json()["detail"]
    assert (await flow.get(f"/imports/{made['id']}"))["status"] == "interrupted"


async def test_a_fault_in_the_middle_says_up_to_where_the_rows_are_saved(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "test"})
    body = body_of(rows(16_000)).encode() + b'"'
    answer = await flow.client.put(f"/imports/{made['id']}/rows", content=body, headers=CSV)
    assert answer.status_code == 422
    saved = (await flow.get(f"/imports/{made['id']}"))["households_added"]
    assert 0 < saved < 16_000
    told = f"inside a quoted cell. The rows up to line {saved + 1} are saved."
    assert told in answer.json()["detail"]


async def test_rows_need_an_import_a_gazetteer_and_the_right_type(empty: Flow) -> None:
    made = await empty.post("/imports", {"source": "test"})
    path = f"/imports/{made['id']}/rows"
    assert (await empty.client.put(path, content="", headers=CSV)).status_code == 409
    await empty.load_gazetteer()
    assert (await empty.client.put(path, content="")).status_code == 422
    other = "/imports/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/rows"
    assert (await empty.client.put(other, content="", headers=CSV)).status_code == 404


async def test_an_import_that_is_cut_off_shows_it_and_can_be_sent_again(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "test"})
    path = f"/imports/{made['id']}"
    body = body_of(rows(16_000, phone="+85512345678")).encode()
    half_is_in = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        half_is_in.set()
        await asyncio.sleep(60)

    sending = asyncio.create_task(flow.client.put(f"{path}/rows", content=half(), headers=CSV))
    await half_is_in.wait()

    async def saved() -> bool:
        seen = await flow.get(path)
        assert seen["status"] in {"created", "receiving"}
        return bool(seen["households_added"])

    await eventually(saved)
    twice = await flow.client.put(f"{path}/rows", content=body, headers=CSV)
    assert twice.status_code == 409
    sending.cancel()
    with suppress(asyncio.CancelledError, httpx.HTTPError):
        await sending

    async def interrupted() -> bool:
        return str((await flow.get(path))["status"]) == "interrupted"

    await eventually(interrupted)
    saved_before = (await flow.get(path))["households_added"]
    again = await flow.send(made["id"], body)
    assert again["status"] == "completed"
    assert again["households_unchanged"] == saved_before
    assert again["households_added"] == 16_000 - saved_before


async def test_an_import_whose_connection_died_shows_it(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "test"})
    await flow.owner.execute("UPDATE registry.household_import SET status = 'receiving'")
    assert (await flow.get(f"/imports/{made['id']}"))["status"] == "interrupted"
    assert (await flow.get("/imports"))["items"][0]["status"] == "interrupted"


async def test_two_imports_of_the_same_households_register_each_once(flow: Flow) -> None:
    given = rows(9_000)
    ended, other = await asyncio.gather(flow.register(given), flow.register(list(reversed(given))))
    assert ended["rows_rejected"] == other["rows_rejected"] == 0
    assert ended["households_added"] + other["households_added"] == 9_000
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.household") == 9_000
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.payee_account") == 9_000


async def test_the_database_holds_no_personal_data_in_the_clear(flow: Flow) -> None:
    await flow.register([PERSON, replace(PERSON, registration_number="BAD!", members="x")])
    tables = await flow.owner.fetch(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables "
        "WHERE table_schema IN ('registry', 'events') AND table_name <> 'area'"
    )
    everything = ""
    for table in tables:
        found = await flow.owner.fetch(f"SELECT t::text AS row FROM {table['name']} AS t")
        everything += "\n".join(record["row"] for record in found)
    assert "mekong" in everything
    for secret in SECRETS:
        assert secret not in everything
        assert secret.encode().hex() not in everything


async def providers_told(flow: Flow, *codes: str) -> None:
    """Payments says which providers it sends to, and the registry has heard it."""
    providers = [ConfiguredProvider(code=code, currency="KHR") for code in codes]
    await flow.from_payments(ProvidersConfigured(providers=providers))

    async def heard() -> bool:
        known = await flow.owner.fetch("SELECT code FROM registry.provider")
        return {row["code"] for row in known} == set(codes)

    await eventually(heard)


async def test_a_row_at_a_provider_that_payments_does_not_know_is_left_out_alone(
    working: Flow,
) -> None:
    strange = rows(1, begin=5, provider_code="wing-money")
    assert (await working.register(strange))["rows_rejected"] == 0
    await providers_told(working, *PROVIDERS)
    made = await working.post("/imports", {"source": "test"})
    ended = await working.send(
        made["id"],
        body_of(
            [
                *rows(2),
                *rows(1, begin=6, provider_code="wing-money"),
                *rows(1, begin=7, provider_code="tonle"),
                *rows(1, begin=8, provider_code="", account=""),
                *rows(1, begin=9, provider_code="!!"),
            ]
        ),
    )
    assert (ended["households_added"], ended["rows_rejected"]) == (4, 2)
    unknown, malformed = (await working.get(f"/imports/{made['id']}/rejections"))["items"]
    assert unknown == {
        "line": 4,
        "column": "provider_code",
        "code": "unknown",
        "detail": "Payments sends to no such provider. Write one of mekong, tonle.",
        "wrong": "It is none of those that are known.",
        "wrong_km": "មិនមានក្នុងបញ្ជី។",
        "detail_km": "សូមសរសេរកូដនៃអ្នកផ្តល់សេវាដែលប្រព័ន្ធទូទាត់ស្គាល់។",
    }
    assert (malformed["line"], malformed["code"]) == (7, "malformed")

    # Another list replaces the one before, whole.
    await providers_told(working, "mekong")
    again = await working.register(rows(1, begin=7, provider_code="tonle"))
    assert again["rows_rejected"] == 1


async def test_an_account_at_a_provider_that_payments_does_not_know_is_refused(
    working: Flow,
) -> None:
    (row,) = rows(1)
    await working.register([row])
    household_id = await working.household_id(row.registration_number)
    path = f"/households/{household_id}/payee-account"
    account = {"provider_code": "wing-money", "account": "+85577777777"}
    assert (await working.client.put(path, json=account)).status_code == 200
    await providers_told(working, *PROVIDERS)
    refused = await working.client.put(path, json=account | {"account": "+85577777778"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "pointer": "/body/provider_code",
            "detail": "Payments sends to no such provider. Write one of mekong, tonle.",
        }
    ]
    taken = await working.client.put(path, json=account | {"provider_code": "tonle"})
    assert taken.status_code == 200


async def test_every_example_names_a_provider_that_make_run_configures(working: Flow) -> None:
    await providers_told(working, *PROVIDERS)
    made = await working.post("/imports", {"source": "example"})
    ended = await working.send(made["id"], CSV_EXAMPLE)
    assert (ended["households_added"], ended["rows_rejected"]) == (1, 0)
    document = working.service.app.openapi()
    named = set(re.findall(r"'provider_code': '([^']*)'", str(document)))
    named |= set(re.findall(r"'provider_code': \{[^{}]*'examples': \['([^']*)'\]", str(document)))
    assert named
    assert named <= set(PROVIDERS)
    readme = Path("README.md").read_text()
    (imported,) = re.findall(r"^\d{6}-\d-\d{5},.*$", readme, flags=re.MULTILINE)
    assert imported.split(",")[-2] in PROVIDERS
