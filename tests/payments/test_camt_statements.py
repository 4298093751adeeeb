"""A bank's statement in camt.053 is read as a provider's CSV is, and nothing in it is believed."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.reconciliation.camt_reading import CamtReader
from services.payments.reconciliation.lines import StatementRefused
from shared.clock import COUNTRY_ZONE
from tests.payments.conftest import World
from tests.payments.statement_files import DAY, Line, lines_of, open_differences, ordered, send
from tests.payments.steps import SILENCE, Steps, paid

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
FUNDED = Line(None, 5_000_000, "test", "deposit")


def balance(code: str, minor: int, *, day: str = DAY) -> str:
    sign = "DBIT" if minor < 0 else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='KHR'>{abs(minor)}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def details(line: Line, *, amount: bool = False) -> str:
    ours = line.payment_id.hex if line.payment_id else "NOTPROVIDED"
    told = f"<Amt Ccy='{line.currency}'>{line.amount_minor}</Amt>" if amount else ""
    reference = line.reference or f"reference-of-{line.payment_id}"
    return (
        f"<TxDtls><Refs><AcctSvcrRef>{escape(reference)}</AcctSvcrRef>"
        f"<EndToEndId>{ours}</EndToEndId></Refs>{told}"
        "<RltdPties><Cdtr><Nm>Sok Dara</Nm></Cdtr></RltdPties></TxDtls>"
    )


def entry(lines: Sequence[Line], *, status: str = "<Sts><Cd>BOOK</Cd></Sts>") -> str:
    """One entry; of several lines it is one booking with the details of each."""
    net = sum(line.net_minor for line in lines)
    return (
        f"<Ntry><Amt Ccy='{lines[0].currency}'>{abs(net)}</Amt>"
        f"<CdtDbtInd>{'DBIT' if net < 0 else 'CRDT'}</CdtDbtInd>{status}"
        f"<BookgDt><DtTm>{lines[0].at.isoformat()}</DtTm></BookgDt><NtryDtls>"
        f"{''.join(details(line, amount=len(lines) > 1) for line in lines)}</NtryDtls></Ntry>"
    )


def document(*parts: str, before: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<Document xmlns="{NAMESPACE}">'
        f"<BkToCstmrStmt><GrpHdr/><Stmt><Id>1</Id>{''.join(parts)}</Stmt></BkToCstmrStmt></Document>"
    )


async def test_every_entry_is_held_against_our_books(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    orders = await ordered(world, steps, 5)
    *settled, unknown, wrong = orders
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in settled])
    await steps.hear([(order.instruction_id, SILENCE) for order in (unknown, wrong)])
    first, second, third, late, other = lines_of(orders)
    half = replace(other, amount_minor=48_000)
    content = document(
        balance("OPBD", 0),
        balance("CLBD", 5_000_000 - 4 * 96_000 - 48_000),
        entry([FUNDED]),
        entry([first, second]),
        entry([third], status="<Sts>BOOK</Sts>"),
        entry([late]),
        entry([half]),
        entry([first], status="<Sts><Cd>PDNG</Cd></Sts>"),
        entry([replace(first, currency="USD")]),
        "<Ntry><Amt Ccy='KHR'>12</Amt></Ntry>",
    )
    taken = await send(world, content, media_type="application/xml")
    assert (taken["format"], taken["mapping_version"]) == ("camt.053", None)
    assert (taken["line_count"], taken["set_aside_count"]) == (6, 3)
    assert (taken["opening_minor"], taken["closing_minor"]) == (0, 4_568_000)
    listed = (await world.get(f"/statements/{taken['id']}/set-aside"))["items"]
    assert [(fault["line"], fault["field"]) for fault in listed] == [
        (7, "status"),
        (8, "currency"),
        (9, "direction"),
    ]
    lines = (await world.get(f"/statements/{taken['id']}/lines"))["items"]
    assert [line["instruction_id"] for line in lines] == [
        None,
        *(str(line.payment_id) for line in (first, second, third, late, half)),
    ]
    assert "Sok Dara" not in str(lines)
    await steps.step("follow-statements")
    assert (await world.get(f"/instructions/{late.payment_id}"))["status"] == "settled"
    assert {each["kind"] for each in await open_differences(world)} == {
        "other_amount",
        "float_differs",
    }
    await world.proofs()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            document(before='<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
            "DOCTYPE",
        ),
        (document()[:-20], "cut off"),
        ("<Document/>", "no camt.053"),
        ("not xml", "no well-formed XML"),
        (document("</Stmt><Stmt>"), "several statements"),
        (document(balance("CLBD", 1).replace("KHR", "USD")), "CLBD"),
        (document(balance("CLBD", 1, day="2026-01-04")), "2026-01-04"),
        (document("<Ntry>" * 300 + "</Ntry>" * 300), "nests too deeply"),
        (document("<Ntry>" + "<x/>" * 200_000 + "</Ntry>"), "in one place"),
    ],
    ids=["entities", "cut", "other", "text", "several", "balance", "day", "deep", "large"],
)
async def test_what_is_no_statement_is_refused_whole(world: World, content: str, told: str) -> None:
    refused = await send(world, content, media_type="application/xml", status=422)
    assert told in refused["detail"]
    assert (await world.get("/statements"))["items"] == []


@given(st.data())
def test_whatever_bytes_come_are_read_or_refused(data: st.DataObject) -> None:
    whole = document(balance("OPBD", 5), entry([FUNDED]), entry([FUNDED, FUNDED])).encode()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
    reader = CamtReader(currency="KHR", zone=COUNTRY_ZONE)
    size = data.draw(st.integers(1, len(whole)))
    try:
        for at in range(0, len(content), size):
            reader.feed(bytes(content[at : at + size]))
        read = reader.end()
    except StatementRefused:
        return
    assert read.totals.count + len(read.faults) <= 10


_AT_ONCE = """
import asyncio
from functools import partial

from services.payments.reconciliation import receiving
from services.payments.reconciliation.camt_reading import CamtReader
from shared.clock import COUNTRY_ZONE
from tests.payments.test_camt_statements import FUNDED, document, entry

receiving._PART_BYTES = 512


def content(number):
    names = (f"name{number}x{at}" for at in range(200))
    plain = entry([FUNDED])
    return document(*(plain.replace("<Ntry>", f"<Ntry><{n}>a</{n}>") for n in names)).encode()


async def parts(whole):
    for at in range(0, len(whole), 700):
        yield whole[at : at + 700]
        await asyncio.sleep(0)


async def read():
    make = partial(CamtReader, currency="KHR", zone=COUNTRY_ZONE)
    bodies = (parts(content(number)) for number in range(12))
    received = await asyncio.gather(
        *(receiving.receive(body, make, maximum_bytes=10_000_000) for body in bodies)
    )
    assert [each.read.totals.count for each in received] == [200] * 12


for _ in range(5):
    asyncio.run(read())
"""


def test_documents_that_come_in_at_the_same_time_are_read_each_in_one_thread() -> None:
    # Fed by whichever thread is free, parsers share tables of names, and the process aborts, if
    # only as it ends: it has to be one of its own for that to be seen.
    ended = subprocess.run(
        [sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2_000:]


@pytest.mark.parametrize(
    "day",
    [
        f"<Dt>{DAY}</Dt>",
        f"<Dt>{DAY}Z</Dt>",
        f"<Dt>{DAY}+07:00</Dt>",
        f"<DtTm>{DAY}T23:59:59+07:00</DtTm>",
        f"<DtTm>{DAY}T17:00:00Z</DtTm>",
        f"<DtTm>{DAY}T16:30:00.5Z</DtTm>",
    ],
)
async def test_a_balance_tells_its_day_in_every_way_that_xml_has(world: World, day: str) -> None:
    closing = balance("CLBD", 0).replace(f"<Dt>{DAY}</Dt>", day)
    assert day in closing
    await send(world, document(closing), media_type="application/xml")


@pytest.mark.parametrize(
    "day",
    [
        "<Dt>2026-01-04</Dt>",
        "<Dt>2026-01-06+07:00</Dt>",
        f"<DtTm>{DAY}T17:00:01Z</DtTm>",
        "<DtTm>2026-01-04T23:59:59+07:00</DtTm>",
    ],
)
async def test_a_statement_of_another_day_is_refused_however_it_tells_it(
    world: World, day: str
) -> None:
    closing = balance("CLBD", 0).replace(f"<Dt>{DAY}</Dt>", day)
    refused = await send(world, document(closing), media_type="application/xml", status=422)
    assert "it says that it is about" in refused["detail"]


@pytest.mark.parametrize("told", [f"{DAY}Z", f"{DAY}+07:00", f"{DAY}-03:00", DAY])
async def test_an_entry_is_booked_on_the_day_that_it_tells_with_a_zone_or_without(
    world: World, told: str
) -> None:
    line = entry([FUNDED]).replace(f"<DtTm>{FUNDED.at.isoformat()}</DtTm>", f"<Dt>{told}</Dt>")
    assert told in line
    taken = await send(world, document(line), media_type="application/xml")
    assert (taken["line_count"], taken["set_aside_count"]) == (1, 0)
    [read] = (await world.get(f"/statements/{taken['id']}/lines"))["items"]
    assert read["booked_at"].startswith("2026-01-04T17:00:00")


@pytest.mark.parametrize(
    "day", ["<Dt>Sok Dara</Dt>", "<DtTm>Sok Dara</DtTm>", "<Dt>2026-13-01</Dt>"]
)
async def test_a_day_that_is_none_is_refused_and_not_repeated(world: World, day: str) -> None:
    closing = balance("CLBD", 0).replace(f"<Dt>{DAY}</Dt>", day)
    refused = await send(world, document(closing), media_type="application/xml", status=422)
    assert "The day of its closing balance cannot be read." in refused["detail"]
    assert "Dara" not in str(refused)
