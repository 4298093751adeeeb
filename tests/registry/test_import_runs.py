"""An officer's own file: sent as it is, mapped, tried dry, imported, and mended."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from services.registry.households.shape import HEADERS
from services.registry.imports import gathering
from services.registry.imports.returning import REMARKS
from services.registry.imports.runs import repository as runs
from shared.retry import Backoff
from tests.registry.flow import Flow, body_of, rows
from tests.server import eventually

KHMER_HEADINGS = [
    "ល.រ",
    "លេខប័ណ្ណសមធម៌",
    "ឈ្មោះមេគ្រួសារ",
    "លេខកូដឃុំ",
    "កម្រិតក្រីក្រ",
    "ចំនួនសមាជិក",
    "កុមារអាយុ ០ ដល់ ៥ ឆ្នាំ",
    "ជនមានពិការភាព",
    "លេខទូរស័ព្ទ",
]
SECRETS = ("KH-SECRET", "Secret-Name", "ស្រីសម្ងាត់", "98765432", "rich-secret")


def khmer_row(number: int, /, **cells: object) -> list[object]:
    """A row under the Khmer headings."""
    values = {
        "number": f"KH-{number:06d}",
        "name": "សុខ ច័ន្ទធី",
        "commune": 10202.0,
        "status": "ក្រ១",
        "members": 4.0,
        "children": "១",
        "disabled": 0,
        "phone": "012 345 678",
        **cells,
    }
    return [number, *values.values()]


def workbook_of(
    table: Iterable[Sequence[object]], *, before: Iterable[Sequence[str]] = ()
) -> bytes:
    """A workbook of a sheet with titles, and before it sheets with a word in each row."""
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body)
    for words in before:
        book.add_worksheet().write_column(0, 0, words)
    sheet = book.add_worksheet("គ្រួសារ")
    sheet.merge_range(0, 0, 0, 8, "បញ្ជីគ្រួសារក្រីក្រ ឆ្នាំ ២០២២")
    for at, row in enumerate(table, start=2):
        sheet.write_row(at, 0, row)
    book.close()
    return body.getvalue()


async def announced(flow: Flow, **fields: object) -> str:
    made = await flow.post("/imports", {"source": "test", **fields})
    return str(made["id"])


async def sent(flow: Flow, import_id: str, body: bytes) -> dict[str, Any]:
    answer = await flow.client.put(f"/imports/{import_id}/file", content=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def read(flow: Flow, import_id: str, kind: str = "import", **how: object) -> dict[str, Any]:
    """A reading, once it has ended."""
    asked = await flow.post(f"/imports/{import_id}/runs", {"kind": kind, **how}, status=202)
    found: dict[str, Any] = {}

    async def ended() -> bool:
        found.update(await flow.get(f"/imports/{import_id}/runs/{asked['id']}"))
        return found["ended_at"] is not None

    await eventually(ended)
    return found


def counted(run: dict[str, Any]) -> tuple[int, ...]:
    """Rows read and bad; households new, changed and unchanged."""
    names = ("rows_read", "rows_bad", *(f"households_{what}" for what in _WHAT))
    return tuple(run[name] for name in names)


_WHAT = ("added", "changed", "unchanged")


async def test_the_sheet_with_the_households_is_found_behind_others(flow: Flow) -> None:
    """An empty one, and one with notes; another sheet can be had, and what a word means not at all
    is no question any more."""
    table: list[Sequence[object]] = [
        KHMER_HEADINGS,
        khmer_row(1),
        khmer_row(2, status="ធម្មតា"),
    ]
    import_id = await announced(flow)
    body = workbook_of(table, before=((), ("សូមអានមុន", "phone")))
    told = await sent(flow, import_id, body)
    assert (told["sheet"], told["sheets"]) == ("គ្រួសារ", ["Sheet1", "Sheet2", "គ្រួសារ"])
    columns = {column["field"] for column in told["mapping"]["columns"]}
    path = f"/imports/{import_id}/mapping"
    other = await flow.client.put(path, json={"sheet": "Sheet2"})
    assert (other.json()["sheet"], other.json()["headings"]) == ("Sheet2", ["សូមអានមុន"])
    for sheet, why in (("Sheet1", "has no rows"), ("Sheet9", "no such sheet")):
        refused = await flow.client.put(path, json={"sheet": sheet})
        assert (refused.status_code, why in refused.json()["detail"]) == (422, True)
    back = (await flow.client.put(path, json={"sheet": "គ្រួសារ"})).json()
    assert {column["field"] for column in back["mapping"]["columns"]} == columns
    assert back["questions"] == told["questions"]

    mapping = told["mapping"]
    for column in mapping["columns"]:
        column["digits"] = 6 if column["field"] == "commune_code" else None
    mapping["defaults"] = [
        {"field": "pregnant", "value": "0"},
        {"field": "elderly_60", "value": "0"},
    ]
    mapping["words"] = [{"field": "poverty_status", "word": "ធម្មតា", "means": None}]
    mapped = await flow.client.put(path, json={"mapping": mapping})
    assert [question["words"] for question in mapped.json()["questions"]] == []
    run = await read(flow, import_id)
    assert counted(run) == (2, 1, 1, 0, 0)
    (fault,) = (await flow.get(f"/imports/{import_id}/rejections"))["items"]
    assert (fault["column"], fault["code"]) == ("poverty_status", "unknown")


async def test_a_workbook_in_khmer_becomes_households(flow: Flow) -> None:
    table: list[Sequence[object]] = [
        KHMER_HEADINGS,
        *(khmer_row(number) for number in range(1, 31)),
        khmer_row(31, number="KH-SECRET-1", name="ស្រីសម្ងាត់", status="rich-secret"),
        khmer_row(32, number="KH-SECRET-2", members="many", phone="98765432 1234567"),
    ]
    body = workbook_of(table)
    import_id = await announced(flow)
    told = await sent(flow, import_id, body)
    assert (told["format"], told["sheet"], told["heading_row"]) == ("xlsx", "គ្រួសារ", 3)
    assert (told["merged_cells"], told["ignored"]) == (1, ["ល.រ"])
    asked = {(question["about"], question["field"]) for question in told["questions"]}
    assert asked == {
        ("no-column", "pregnant"),
        ("no-column", "elderly_60"),
        ("unknown-word", "poverty_status"),
        ("zeros", "commune_code"),
    }
    early = await flow.client.post(
        f"/imports/{import_id}/runs", json={"kind": "import"}, headers=flow.key()
    )
    assert early.status_code == 409
    assert "has to say 4 more" in early.json()["detail"]

    mapping = told["mapping"]
    for column in mapping["columns"]:
        if column["field"] == "commune_code":
            column["digits"] = 6
    mapping["defaults"] = [
        {"field": "pregnant", "value": "0"},
        {"field": "elderly_60", "value": "0"},
    ]
    # What it does not say stays a fault of its rows.
    mapping["words"] = [{"field": "poverty_status", "word": "rich", "means": "not-poor"}]
    mapped = await flow.client.put(f"/imports/{import_id}/mapping", json={"mapping": mapping})
    assert [question["about"] for question in mapped.json()["questions"]] == ["unknown-word"]
    mapping["words"][0]["word"] = "rich-secret"
    mapped = await flow.client.put(f"/imports/{import_id}/mapping", json={"mapping": mapping})
    assert mapped.json()["questions"] == []
    assert (await flow.client.put("/import-mappings/excel", json=mapping)).status_code == 200

    # Dry: nothing changes, and what would is said.
    dry = await read(flow, import_id, "dry-run")
    assert (dry["status"], counted(dry)) == ("completed", (32, 1, 31, 0, 0))
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.household") == 0
    assert [(note["column"], note["code"], note["rows"]) for note in dry["notes"]] == [
        ("commune_code", "zeros-put-back", 32)
    ]
    areas = await flow.get(f"/imports/{import_id}/runs/{dry['id']}/areas", level="district")
    assert areas["items"] == [
        {
            "area_code": "0102",
            "households_added": 31,
            "households_changed": 0,
            "households_unchanged": 0,
            "rows_bad": 1,
        }
    ]
    assert (await flow.get(f"/imports/{import_id}"))["status"] == "created"

    run = await read(flow, import_id)
    assert (run["status"], counted(run)) == ("completed", (32, 1, 31, 0, 0))
    assert (run["share_done"], run["rows_good"], run["seconds_left"]) == (1, 31, None)
    ended = await flow.get(f"/imports/{import_id}")
    assert (ended["status"], ended["households_added"], ended["rows_rejected"]) == (
        "completed",
        31,
        1,
    )
    found = await flow.client.post("/households/search", json={"registration_number": "KH-000007"})
    (household,) = found.json()["items"]
    assert (household["area_code"], household["members"]) == ("010202", 4)
    assert household["person"]["phone"] == "+85512345678"
    assert household["person"]["name"] == "សុខ ច័ន្ទធី"

    # The same file twice changes nothing, and the kept mapping is taken by itself.
    again = await announced(flow)
    assert (await sent(flow, again, body))["mapping_name"] == "excel"
    assert counted(await read(flow, again)) == (32, 1, 0, 0, 31)
    rejections = await flow.client.get(f"/imports/{again}/rejections")
    told_of = [(fault["line"], fault["column"]) for fault in rejections.json()["items"]]
    assert told_of == [(35, "members"), (35, "phone")]
    assert rejections.json()["items"][0]["wrong_km"]
    for secret in SECRETS:
        assert secret not in rejections.text

    # What was not taken comes back as it came in, is mended, and sent.
    answer = await flow.client.get(f"/imports/{again}/rows-to-mend")
    assert answer.status_code == 200, answer.text
    returned = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    table_back = returned.get_sheet_by_index(0).to_python()
    assert table_back[0] == [*KHMER_HEADINGS, REMARKS]
    (row,) = table_back[1:]
    assert row[1:6] == ["KH-SECRET-2", "សុខ ច័ន្ទធី", "10202", "ក្រ១", "many"]
    assert "ចំនួនសមាជិក: It is no whole number" in str(row[-1])
    assert "លេខទូរស័ព្ទ: It is not written" in str(row[-1])
    assert "សូមសរសេរចំនួនគត់ពី ១ ដល់ ៦០។" in str(row[-1])
    row[5], row[8] = "4", ""
    mended = await announced(flow)
    told = await sent(flow, mended, workbook_of(table_back))
    assert (told["mapping_name"], told["ignored"]) == ("excel", ["ល.រ", REMARKS])
    assert counted(await read(flow, mended)) == (1, 0, 1, 0, 0)
    assert await flow.owner.fetchval(
        "SELECT count(*) FROM registry.audit_record WHERE unmasked_read AND objects[1] = $1",
        f"imports/{again}/rows-to-mend",
    )


async def test_every_format_says_the_same(flow: Flow) -> None:
    """CSV of three separators and two encodings, and NDJSON: each changes nothing of the first."""
    given = rows(40, head_name='សុខ, "A"; B')
    table = [list(HEADERS), *(row.cells() for row in given)]
    shuffled = [list(reversed(row)) for row in table]

    def as_csv(delimiter: str, encoding: str) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerows(shuffled)
        return text.getvalue().encode(encoding)

    objects = b"".join(
        orjson.dumps(dict(zip(table[0], row, strict=True))) + b"\n" for row in table[1:]
    )
    bodies = [
        as_csv(",", "utf-8"),
        as_csv(";", "utf-16"),
        as_csv("\t", "utf-16-be"),
        as_csv(";", "utf-8-sig"),
        objects,
    ]
    for at, body in enumerate(bodies):
        import_id = await announced(flow)
        assert (await sent(flow, import_id, body))["questions"] == []
        expected = (40, 0, 40, 0, 0) if at == 0 else (40, 0, 0, 0, 40)
        assert counted(await read(flow, import_id)) == expected


async def test_one_bad_row_never_stops_the_rest(flow: Flow) -> None:
    good = rows(6)
    lines = body_of(good).encode().splitlines()
    bad = [
        b"only,three,cells",
        lines[1] + b",surplus",
        b'"open' + lines[2],
        lines[3].replace(b"Sok Chanthy", b"Sok\x00"),
        lines[3].replace(b"Sok Chanthy", b"Sok\xff"),
        b"x" * 70_000,
        b"," * (len(HEADERS) - 1),
        lines[1],
    ]
    body = b"\n".join([*lines[:4], *bad, *lines[4:]])
    import_id = await announced(flow)
    await sent(flow, import_id, body)
    run = await read(flow, import_id)
    assert (run["status"], counted(run)) == ("completed", (13, 7, 6, 0, 0))
    listed = (await flow.get(f"/imports/{import_id}/rejections", limit=500))["items"]
    assert [(fault["line"], fault["column"], fault["code"]) for fault in listed] == [
        (5, "row", "cells"),
        (6, "row", "cells"),
        (7, "row", "quote-open"),
        (8, "head_name", "malformed"),
        (9, "head_name", "damaged"),
        (10, "row", "too-long"),
        (12, "registration_number", "repeated"),
    ]
    # The same rows come back, in the encoding in which they came, each with what is wrong.
    answer = await flow.client.get(f"/imports/{import_id}/rows-to-mend")
    text = answer.content.decode("utf-8-sig")
    back = list(csv.reader(io.StringIO(text)))
    assert back[0] == [*HEADERS, REMARKS]
    assert len(back) == 8
    assert "A quote is opened" in back[3][-1]


async def test_no_row_comes_back_as_a_formula_and_what_is_sent_again_is_as_it_was(
    flow: Flow,
) -> None:
    hostile = '=HYPERLINK("https://example.com","Sok")'
    (bad,) = rows(1, members="x", head_name=hostile, account="-2abc34")
    import_id = await announced(flow)
    await sent(flow, import_id, body_of([bad]).encode())
    assert counted(await read(flow, import_id)) == (1, 1, 0, 0, 0)

    answer = await flow.client.get(f"/imports/{import_id}/rows-to-mend")
    headings, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    at = {heading: place for place, heading in enumerate(headings)}
    assert (row[at["head_name"]], row[at["account"]]) == (f"'{hostile}", "'-2abc34")
    assert row[at["phone"]] == bad.phone

    row[at["members"]] = "4"
    mended = await announced(flow)
    text = io.StringIO()
    csv.writer(text).writerows([headings, row])
    await sent(flow, mended, text.getvalue().encode())
    assert counted(await read(flow, mended)) == (1, 0, 1, 0, 0)
    found = await flow.client.post(
        "/households/search", json={"registration_number": bad.registration_number}
    )
    (household,) = found.json()["items"]
    assert household["person"]["name"] == hostile


async def test_all_or_nothing_stores_nothing_for_one_bad_row(flow: Flow) -> None:
    import_id = await announced(flow)
    await sent(flow, import_id, body_of([*rows(20), *rows(1, begin=90, members="x")]).encode())
    run = await read(flow, import_id, all_or_nothing=True)
    assert (run["status"], counted(run)) == ("refused", (21, 1, 20, 0, 0))
    assert "nothing is stored" in run["stopped_because"]
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.household") == 0
    assert len((await flow.get(f"/imports/{import_id}/rejections"))["items"]) == 1
    await sent(flow, import_id, body_of(rows(20)).encode())
    run = await read(flow, import_id, all_or_nothing=True)
    assert (run["status"], counted(run)) == ("completed", (20, 0, 20, 0, 0))
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.household") == 20


async def test_a_reading_that_dies_goes_on_at_the_last_committed_block(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a block's transaction, again and again: each row is counted once, and stored once."""
    monkeypatch.setattr(gathering, "BLOCK_ROWS", 7)
    reach: Callable[..., Any] = runs.reach
    tried: list[int] = []

    async def dying(*arguments: Any, **named: Any) -> None:
        await reach(*arguments, **named)
        tried.append(named["line"])
        if len(tried) in (2, 3, 6):
            raise ConnectionError

    monkeypatch.setattr(runs, "reach", dying)
    given = rows(30)
    bad = rows(2, begin=80, members="x")
    import_id = await announced(flow)
    await sent(flow, import_id, body_of([*given[:10], *bad, *given[10:]]).encode())
    run = await read(flow, import_id)
    assert (run["status"], counted(run)) == ("completed", (32, 2, 30, 0, 0))
    assert tried == [8, 15, 15, 15, 22, 29, 29, 33]
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.household") == 30
    ended = await flow.get(f"/imports/{import_id}")
    assert (ended["status"], ended["rows_read"]) == ("completed", 32)
    events = await flow.events("households-imported")
    assert sum(event["added"] for event in events) == 30
    areas = await flow.get(f"/imports/{import_id}/runs/{run['id']}/areas")
    assert [area["households_added"] for area in areas["items"]] == [30]


async def test_a_file_is_kept_sealed_and_shown_only_to_who_may_see_persons(flow: Flow) -> None:
    import_id = await announced(flow)
    (row,) = rows(1, head_name="Secret-Name", members="x")
    await sent(flow, import_id, body_of([row]).encode())
    await read(flow, import_id)
    for table in ("import_file", "import_piece", "import_run", "import_rejection"):
        for found in await flow.owner.fetch(f"SELECT t::text AS row FROM registry.{table} AS t"):
            assert "Secret-Name" not in found["row"]
            assert b"Secret-Name".hex() not in found["row"]
    path = f"/imports/{import_id}/rows-to-mend"
    masked = flow.service.client("households:write", "households:read")
    async with masked as client:
        assert (await client.get(path)).status_code == 403
    assert "Secret-Name" in (await flow.client.get(path)).text
    # Once the pieces were kept for their time, the file has to be sent again.
    await flow.owner.execute("DELETE FROM registry.import_piece")
    run = await read(flow, import_id)
    assert (run["status"], run["rows_read"]) == ("stopped", 0)
    assert "Send it again" in run["stopped_because"]


async def test_what_cannot_be_done_is_refused_with_a_word(flow: Flow) -> None:
    import_id = await announced(flow)
    put, post = flow.client.put, flow.client.post
    for body, part in (
        (b"%PDF-1.7", "is a PDF"),
        (b"PK\x03\x04nothing", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "before 2007"),
        (b"", "is empty"),
        (b"{\n{\n", "No line of the file is a JSON object"),
        (b",".join([b"h%d" % at for at in range(600)]) + b"\n", "more than 500 columns"),
    ):
        answer = await put(f"/imports/{import_id}/file", content=body)
        assert answer.status_code == 422, body
        assert part in answer.json()["detail"]
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.import_piece") == 0
    run = {"kind": "import"}
    nobody = "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"
    assert (await put(f"/imports/{nobody}/file", content=b"a")).status_code == 404
    assert (await flow.client.get(f"/imports/{import_id}/file")).status_code == 404
    answer = await post(f"/imports/{import_id}/runs", json=run, headers=flow.key())
    assert answer.status_code == 404
    flow.service.app.state.settings.import_file_maximum_bytes = 2**20
    answer = await put(f"/imports/{import_id}/file", content=b"x" * (2**20 + 1))
    assert answer.status_code == 413
    await sent(flow, import_id, body_of(rows(1)).encode())
    mapping = {"mapping": {"columns": [{"heading": "None", "field": "phone"}]}}
    answer = await put(f"/imports/{import_id}/mapping", json=mapping)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/body/mapping/columns/0/heading"
    assert (await put(f"/imports/{import_id}/mapping", json={})).status_code == 422
    answer = await put(f"/imports/{import_id}/mapping", json={"name": "nobody"})
    assert answer.status_code == 404
    assert (await flow.client.delete("/import-mappings/nobody")).status_code == 404


async def test_templates_are_read_as_they_are_filled_in(flow: Flow) -> None:
    answer = await flow.client.get("/imports/template", params={"format": "csv"})
    (headings,) = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    (row,) = rows(1)
    text = io.StringIO()
    csv.writer(text).writerows([headings, row.cells()])
    import_id = await announced(flow)
    assert (await sent(flow, import_id, text.getvalue().encode()))["questions"] == []
    assert counted(await read(flow, import_id)) == (1, 0, 1, 0, 0)
    answer = await flow.client.get("/imports/template")
    assert answer.headers["content-disposition"] == 'attachment; filename="households.xlsx"'
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == ["Households", "Words"]
    assert book.get_sheet_by_name("Households").to_python() == [headings]
    words = book.get_sheet_by_name("Words").to_python()
    assert ["", "", "poor-2"] in [found[:3] for found in words]


@pytest.fixture
def looking_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    rests = Backoff(first_seconds=600, longest_seconds=600)
    monkeypatch.setattr("services.registry.app._LOOKING_FOR_FILES", rests)


@pytest.mark.usefixtures("looking_seldom")
async def test_a_file_is_read_when_somebody_asks_for_it(flow: Flow) -> None:
    import_id = await announced(flow)
    await sent(flow, import_id, body_of(rows(3)).encode())
    run = await read(flow, import_id)
    assert (run["status"], counted(run)) == ("completed", (3, 0, 3, 0, 0))
