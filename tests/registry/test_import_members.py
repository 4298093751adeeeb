"""A file with a member a row: their households with them, or by the numbers of those."""

import csv
import io
from typing import Any

import pytest

from services.registry.imports import gathering
from tests.registry.flow import Flow, rows
from tests.registry.test_import_runs import announced, counted, read, sent

HEADINGS = [
    "Registration number",
    "Member number",
    "ឈ្មោះសមាជិក",
    "Relationship",
    "ភេទ",
    "Date of birth",
    "Disability",
    "commune_code",
    "poverty_status",
    "Provider",
    "Account",
]


def member(household: int, number: int, /, **cells: str) -> list[str]:
    """A row under the headings; the first of a household is its head."""
    values = {
        "household": f"KH-{household:05d}",
        "number": str(number),
        "name": f"សុខ {number}",
        "relationship": "មេគ្រួសារ" if number == 1 else "កូន",
        "sex": "ស្រី",
        "born": "13/04/1986" if number == 1 else "25 ធ្នូ 2022",
        "disability": "គ្មាន",
        "commune": "020101",
        "status": "ក្រ១",
        "provider": "mekong",
        "account": f"+855{household:09d}",
        **cells,
    }
    return list(values.values())


def in_words(table: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue().encode()


async def members_file(flow: Flow, table: list[list[str]]) -> tuple[str, dict[str, Any]]:
    import_id = await announced(flow, rows_of="members")
    return import_id, await sent(flow, import_id, in_words(table))


async def imported(flow: Flow, table: list[list[str]]) -> tuple[str, dict[str, Any]]:
    import_id, told = await members_file(flow, table)
    assert told["questions"] == []
    return import_id, await read(flow, import_id)


def members_counted(run: dict[str, Any]) -> tuple[int, ...]:
    """Members new, changed, unchanged and left."""
    return tuple(run[f"members_{what}"] for what in ("added", "changed", "unchanged", "left"))


async def faults_of(flow: Flow, import_id: str) -> list[tuple[int, str, str]]:
    page = await flow.get(f"/imports/{import_id}/rejections", limit=500)
    return [(fault["line"], fault["column"], fault["code"]) for fault in page["items"]]


async def test_members_come_with_their_households(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a block would end within a household, whose first row alone says where it is."""
    monkeypatch.setattr(gathering, "BLOCK_ROWS", 5)
    blank = {"commune": "", "status": "", "provider": "", "account": ""}
    table = [
        HEADINGS,
        *(
            member(household, number, **({} if number == 1 or household % 2 else blank))
            for household in range(1, 8)
            for number in range(1, 5)
        ),
    ]
    table[2][6] = "មាន"
    _, run = await imported(flow, table)
    assert (run["status"], counted(run)) == ("completed", (28, 0, 7, 0, 0))
    assert members_counted(run) == (28, 0, 0, 0)
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.member") == 28
    stored = await flow.owner.fetch(
        "SELECT members, children_0_5, disabled, members_listed, count(*) FROM registry.household "
        "GROUP BY 1, 2, 3, 4 ORDER BY 3"
    )
    assert [tuple(row) for row in stored] == [(4, 3, 0, True, 6), (4, 3, 1, True, 1)]
    found = await flow.client.post("/households/search", json={"registration_number": "KH-00004"})
    (household,) = found.json()["items"]
    assert household["person"]["name"] == "សុខ 1"
    assert household["payee_account"]["account"] == "+855000000004"

    # The same again changes nothing; one member otherwise changes one household.
    import_id, run = await imported(flow, table)
    assert (counted(run), members_counted(run)) == ((28, 0, 0, 0, 7), (0, 0, 28, 0))
    assert (await flow.get(f"/imports/{import_id}"))["rows_read"] == 28
    table[6][5] = "2020-02-29"
    import_id, _ = await members_file(flow, table)
    dry = await read(flow, import_id, "dry-run")
    run = await read(flow, import_id)
    for each in (dry, run):
        assert (counted(each), members_counted(each)) == ((28, 0, 0, 1, 6), (0, 1, 27, 0))
    areas = await flow.get(f"/imports/{import_id}/runs/{run['id']}/areas", level="commune")
    assert areas["items"][0]["households_changed"] == 1


async def test_a_household_whose_rows_disagree_is_bad_and_no_other(flow: Flow) -> None:
    table = [
        HEADINGS,
        member(1, 1),
        member(1, 2),
        member(2, 1),
        member(2, 2, commune="020102"),
        member(3, 1),
        member(3, 1),
        member(4, 1, sex="m"),
        member(4, 2, relationship="", born="13 មេសា 1700"),
        member(5, 1, commune="", status=""),
        member(6, 1, commune="999999"),
        member(7, 2),
        member(8, 1, account=""),
        ["", *member(9, 1)[1:]],
        member(1, 3, commune="020103"),
        member(10, 1, born="2026-01-05"),
        member(11, 1, born="2199-01-01"),
    ]
    import_id, run = await imported(flow, table)
    assert (run["status"], counted(run)) == ("completed", (16, 13, 3, 0, 0))
    assert await faults_of(flow, import_id) == [
        (2, "commune_code", "disagrees"),
        (3, "commune_code", "disagrees"),
        (4, "commune_code", "disagrees"),
        (5, "commune_code", "disagrees"),
        (7, "member_number", "repeated"),
        (9, "birth_date", "malformed"),
        (9, "relationship", "empty"),
        (10, "commune_code", "empty"),
        (10, "poverty_status", "empty"),
        (11, "commune_code", "unknown"),
        (12, "head_name", "empty"),
        (13, "account", "malformed"),
        (14, "registration_number", "empty"),
        (15, "commune_code", "disagrees"),
        (17, "birth_date", "to-come"),
    ]
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.member") == 3
    answer = await flow.client.get(f"/imports/{import_id}/rows-to-mend")
    back = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(back) == 14
    assert "commune_code: Rows of one household say different things of it." in back[1][-1]


async def test_members_may_name_their_households_by_number_alone(flow: Flow) -> None:
    await flow.register(rows(2))
    table = [
        HEADINGS[:7],
        *(member(1, number, household="KH-020101-000001")[:7] for number in (1, 2, 3)),
        member(1, 1, household="KH-NOBODY")[:7],
    ]
    import_id, run = await imported(flow, table)
    assert (run["status"], counted(run)) == ("completed", (4, 1, 0, 1, 0))
    assert members_counted(run) == (3, 0, 0, 0)
    assert await faults_of(flow, import_id) == [(5, "registration_number", "not-registered")]
    stored = await flow.owner.fetch(
        "SELECT members, members_listed FROM registry.household ORDER BY members_listed"
    )
    assert [tuple(row) for row in stored] == [(4, False), (3, True)]


async def test_days_that_may_be_two_are_asked_about(flow: Flow) -> None:
    table = [HEADINGS, member(1, 1, born="04/05/1986"), member(1, 2, born="05/04/2566")]
    import_id, told = await members_file(flow, table)
    assert [(asked["about"], asked["field"]) for asked in told["questions"]] == [
        ("date-order", "birth_date")
    ]
    mapping = told["mapping"] | {"date_order": "day-first"}
    answer = await flow.client.put(f"/imports/{import_id}/mapping", json={"mapping": mapping})
    assert answer.json()["questions"] == []
    await read(flow, import_id)
    born = await flow.owner.fetch("SELECT birth_date::text FROM registry.member ORDER BY 1")
    assert [row[0] for row in born] == ["1986-05-04", "2023-04-05"]


async def test_a_household_has_as_many_members_as_one_may_have_and_no_more(
    flow: Flow,
) -> None:
    table = [HEADINGS, *(member(1, number) for number in range(1, 64)), member(2, 1)]
    table[10][5] = "yesterday"
    import_id, run = await imported(flow, table)
    # A row that is bad by itself is one of the sixty: it is mended and sent again.
    assert members_counted(run) == (60, 0, 0, 0)
    assert await faults_of(flow, import_id) == [
        (11, "birth_date", "malformed"),
        *((line, "member_number", "too-many") for line in (62, 63, 64)),
    ]
    told = (await flow.get(f"/imports/{import_id}/rejections"))["items"][-1]
    assert "several households" in told["detail"]
