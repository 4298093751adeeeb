"""Statements add up, day after day, in both forms, to what the book says."""

import csv
import io
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import orjson
import pytest

from sandbox.camt import end_to_end_id
from sandbox.statements import COLUMNS, ZONE
from shared.clock import set_clock
from tests.sandbox import camt
from tests.sandbox.batches import Batches, a_line
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import RunningSandbox

TODAY = datetime.now(ZONE).date()
DAY_MS = 86_400_000


@pytest.fixture
def quiet(start_sandbox: StartSandbox) -> RunningSandbox:
    """A sandbox in which nothing goes wrong."""
    return start_sandbox(misbehave=0.0, missing_account_share=0.0)


def post(sandbox: RunningSandbox, path: str, **body: object) -> httpx.Response:
    return sandbox.client.post(f"{sandbox.options.url}/book/{path}", content=orjson.dumps(body))


def add_float(sandbox: RunningSandbox, **changes: object) -> httpx.Response:
    body = {"provider": "mekong", "amount": "1000000", "currency": "KHR", "reference": "First"}
    return post(sandbox, "floats", **{**body, **changes})


def pay(sandbox: RunningSandbox, **changes: Any) -> str:
    """Have something paid; its transaction reference."""
    correlation_id = sandbox.new_id()
    sandbox.disburse(correlation_id, **changes)
    sandbox.wait_until_at_rest()
    return str(sandbox.booked(correlation_id)[0]["transaction_reference"])


def statement(sandbox: RunningSandbox, form: str, *, day: Any = TODAY, query: str = "") -> bytes:
    answer = sandbox.client.get(
        f"{sandbox.options.url}/mekong/statements/{day}.{form}{query}",
        headers={"X-API-Key": sandbox.provider.api_key},
    )
    assert answer.status_code == 200, answer.text
    return answer.content


def rows(sandbox: RunningSandbox, **asked: Any) -> list[dict[str, str]]:
    """The lines of a CSV, from its opening to its closing balance."""
    text = io.StringIO(statement(sandbox, "csv", **asked).decode())
    opening, closing = (
        dict(zip(COLUMNS, next(text).strip().split(","), strict=False)) for _ in "12"
    )
    entries = list(csv.DictReader(text))
    balance = Decimal(opening["amount"])
    for entry in entries:
        balance += Decimal(entry["amount"])
        assert Decimal(entry["balance"]) == balance
    assert Decimal(closing["amount"]) == balance
    return [opening, *entries, closing]


def texts(element: ElementTree.Element, path: str) -> list[str]:
    steps = "/".join(f"{camt.NAMESPACE}{step}" for step in path.split("/"))
    return [found.text or "" for found in element.findall(f".//{steps}")]


def test_a_day_adds_up_from_its_opening_to_its_closing(quiet: RunningSandbox) -> None:
    add_float(quiet)
    paid = [pay(quiet), pay(quiet, amount="40000")]
    assert post(quiet, "returns", transaction_reference=paid[1], reason="closed").status_code == 201
    found = rows(quiet)
    assert [row["kind"] for row in found] == [
        "opening-balance",
        "float",
        "payment",
        "payment",
        "return",
        "closing-balance",
    ]
    opening, *entries, closing = [Decimal(row["amount"]) for row in found]
    assert opening == 0
    assert [int(entry) for entry in entries] == [1_000_000, -96_000, -40_000, 40_000]
    assert closing == sum(entries) == 904_000
    assert [row["transaction_reference"] for row in found[2:5]] == [*paid, paid[1]]
    assert found[3]["requesting_reference"] == found[4]["requesting_reference"]
    assert found[4]["text"] == "closed"
    summary = quiet.summary()
    assert (summary["floats"], summary["returns"]) == ({"KHR": "1000000"}, {"KHR": "40000"})
    # What it paid, it paid: that some of it came back is another matter.
    assert summary["totals"] == {"KHR": "136000"}


def test_a_charge_leaves_the_account_once(quiet: RunningSandbox) -> None:
    add_float(quiet)
    charge = {"provider": "mekong", "amount": "2500", "currency": "KHR", "reference": "Fee"}
    answers = [post(quiet, "charges", **charge) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    found = rows(quiet)
    assert [(row["kind"], row["amount"]) for row in found[2:]] == [
        ("charge", "-2500"),
        ("closing-balance", "997500"),
    ]
    assert found[2]["entry_reference"] == answers[0].json()["entry_reference"]
    document = camt.read(statement(quiet, "camt.053.xml"))
    assert texts(document, "Fmly/SubFmlyCd") == ["DMCT", "CHRG"]
    assert quiet.summary()["charges"] == {"KHR": "2500"}


def test_in_an_exercise_the_book_bears_its_dates(
    start_sandbox: StartSandbox, tmp_path: Path
) -> None:
    clock = tmp_path / "clock.json"
    set_clock(clock, datetime(2020, 10, 12, 9, tzinfo=ZONE))
    sandbox = start_sandbox(misbehave=0.0, missing_account_share=0.0, clock_file=clock)
    add_float(sandbox)
    first = pay(sandbox)
    set_clock(clock, datetime(2023, 2, 16, 9, tzinfo=ZONE))
    second = pay(sandbox)
    found = {day: rows(sandbox, day=day) for day in ("2020-10-12", "2023-02-16")}
    assert [row["transaction_reference"] for row in found["2020-10-12"][1:-1]] == ["", first]
    assert [row["transaction_reference"] for row in found["2023-02-16"][1:-1]] == [second]
    assert len(rows(sandbox, day=TODAY)) == 2


def test_both_forms_say_the_same(quiet: RunningSandbox) -> None:
    add_float(quiet, reference="A & B <first>")
    Batches(quiet).take([a_line(), a_line(descriptionText="ជំនួយ & <1>")], batchStatus="approved")
    quiet.wait_until_at_rest()
    reference = pay(quiet, requestingOrganisationTransactionReference=None)
    post(quiet, "returns", transaction_reference=reference)
    document = camt.read(statement(quiet, "camt.053.xml"))
    found = rows(quiet)
    assert texts(document, "Ntry/NtryRef") == [row["entry_reference"] for row in found[1:-1]]
    signs = {"CRDT": 1, "DBIT": -1}
    amounts = [
        signs[sign] * Decimal(amount)
        for sign, amount in zip(
            texts(document, "Ntry/CdtDbtInd"), texts(document, "Ntry/Amt"), strict=True
        )
    ]
    assert amounts == [Decimal(row["amount"]) for row in found[1:-1]]
    assert texts(document, "Bal/Amt") == [found[0]["amount"], found[-1]["amount"]]
    assert texts(document, "TtlNtries/NbOfNtries") == [str(len(found) - 2)]
    assert texts(document, "TtlDbtNtries/Sum") == ["288000"]
    assert texts(document, "TtlCdtNtries/Sum") == ["1096000"]
    assert "ជំនួយ & <1>" in texts(document, "RmtInf/Ustrd")
    ids = texts(document, "Refs/EndToEndId")
    assert ids == [end_to_end_id(row["requesting_reference"]) for row in found[2:-1]]
    assert [uuid.UUID(each) for each in ids[:2]] == [
        uuid.UUID(row["requesting_reference"]) for row in found[2:4]
    ]
    assert ids[2:] == ["NOTPROVIDED", "NOTPROVIDED"]


def test_a_reference_has_room_without_its_hyphens() -> None:
    reference = str(uuid.uuid4())
    assert len(reference) > 35
    assert uuid.UUID(end_to_end_id(reference)) == uuid.UUID(reference)
    assert len(end_to_end_id("long " * 40)) == 35


def test_a_day_opens_as_the_day_before_closed(quiet: RunningSandbox) -> None:
    add_float(quiet)
    for amount in ("1000", "2000", "3000"):
        pay(quiet, amount=amount)
    quiet.terminate()
    with sqlite3.connect(quiet.options.storage) as connection:
        for days, amount in ((2, "1000"), (1, "2000")):
            connection.execute(
                "UPDATE payment SET finished_at = finished_at - ? WHERE amount = ?",
                (days * DAY_MS, amount),
            )
        connection.execute("UPDATE float_arrival SET arrived_at = arrived_at - ?", (2 * DAY_MS,))
    connection.close()
    quiet.start()
    closing = "0"
    for days, expected in ((3, "0"), (2, "999000"), (1, "997000"), (0, "994000"), (-1, "994000")):
        found = rows(quiet, day=TODAY - timedelta(days=days))
        assert found[0]["amount"] == closing
        closing = found[-1]["amount"]
        assert closing == expected
        camt.read(statement(quiet, "camt.053.xml", day=TODAY - timedelta(days=days)))


def test_accounts_of_other_currencies_and_providers_are_other_accounts(
    quiet: RunningSandbox,
) -> None:
    pay(quiet, amount="20.5", currency="USD")
    quiet.disburse(quiet.new_id(), provider=1)
    quiet.wait_until_at_rest()
    assert [row["amount"] for row in rows(quiet)] == ["0", "0"]
    assert [row["amount"] for row in rows(quiet, query="?currency=USD")] == ["0", "-20.5", "-20.5"]
    document = camt.read(statement(quiet, "camt.053.xml", query="?currency=USD"))
    assert texts(document, "Bal/CdtDbtInd") == ["CRDT", "DBIT"]


def test_a_float_and_a_return_are_recorded_once(quiet: RunningSandbox) -> None:
    first, again = add_float(quiet), add_float(quiet)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert add_float(quiet, amount="2").json()["errorCode"] == "duplicateRequest"
    reference = pay(quiet)
    first = post(quiet, "returns", transaction_reference=reference, reason="closed")
    again = post(quiet, "returns", transaction_reference=reference)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(rows(quiet)) == 5


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("floats", {"provider": "nobody"}, "identifierError"),
        ("floats", {"reference": None}, "mandatoryValueNotSupplied"),
        ("floats", {"amount": "-5"}, "negativeValue"),
        ("returns", {}, "mandatoryValueNotSupplied"),
        ("returns", {"transaction_reference": "mekong-0000009999"}, "identifierError"),
        ("returns", {"transaction_reference": "what", "reason": "x" * 106}, "lengthError"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    sandbox: RunningSandbox, path: str, body: dict[str, object], code: str
) -> None:
    answer = add_float(sandbox, **body) if path == "floats" else post(sandbox, path, **body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_what_was_not_paid_does_not_come_back(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(missing_account_share=1.0, misbehave=0.0)
    sandbox.disburse(sandbox.new_id())
    sandbox.wait_until_at_rest()
    answer = post(sandbox, "returns", transaction_reference="mekong-0000000001")
    assert answer.json()["errorCode"] == "incorrectState"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("2026-02-30.csv", 400),
        ("9999-12-31.csv", 400),
        ("today.csv", 400),
        (f"{TODAY}.pdf", 400),
        (f"{TODAY}.csv?currency=EUR", 400),
        (f"{TODAY}.csv/more", 404),
    ],
)
def test_what_is_no_statement_is_refused(sandbox: RunningSandbox, name: str, status: int) -> None:
    url = f"{sandbox.options.url}/mekong/statements/{name}"
    answer = sandbox.client.get(url, headers={"X-API-Key": sandbox.provider.api_key})
    assert answer.status_code == status
    assert sandbox.client.get(url).status_code == 401


def test_the_shape_refuses_another_order(quiet: RunningSandbox) -> None:
    body = statement(quiet, "camt.053.xml").decode()
    for before, after in (
        ("<CdtDbtInd>CRDT</CdtDbtInd><Dt>", "<Dt>"),
        ("<Ccy>KHR</Ccy>", "<Ccy>riel</Ccy>"),
        ("CLBD", "LAST"),
        ("<GrpHdr>", "<GrpHdr><Own/>"),
    ):
        assert before in body
        with pytest.raises(AssertionError):
            camt.read(body.replace(before, after).encode())


def test_many_read_at_the_same_time(quiet: RunningSandbox) -> None:
    Batches(quiet).take([a_line() for _ in range(3_000)], batchStatus="approved")
    quiet.wait_until_at_rest()
    with ThreadPoolExecutor(8) as readers:
        books = list(readers.map(lambda _: quiet.book(), range(24)))
        statements = list(readers.map(lambda _: rows(quiet), range(24)))
    assert all(book == books[0] for book in books)
    assert all(found == statements[0] for found in statements)
    assert (len(books[0]), len(statements[0])) == (3_000, 3_002)
