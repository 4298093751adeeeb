"""A provider's statement is read line by line, and each line is held against our books."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.payments.reconciliation import repository
from services.payments.reconciliation.csv_reading import CsvReader
from services.payments.reconciliation.mapping import StatementMappingDocument
from shared.clock import COUNTRY_ZONE
from tests.payments.conftest import World
from tests.payments.statement_files import (
    DAY,
    HEADING,
    MAPPING,
    Line,
    lines_of,
    mapped,
    ordered,
    send,
    written,
)
from tests.payments.steps import Steps, paid
from tests.server import eventually


async def test_a_statement_that_agrees_makes_no_difference(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 5)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    prefunding = Line(None, 5_000_000, "test", "deposit")
    taken = await send(world, written([prefunding, *lines_of(orders)]))
    assert (taken["line_count"], taken["set_aside_count"], taken["open_count"]) == (6, 0, 0)
    assert (taken["out_count"], taken["out_minor"]) == (5, 480_000)
    assert (taken["in_count"], taken["in_minor"]) == (1, 5_000_000)
    assert (taken["opening_minor"], taken["closing_minor"]) == (0, 4_520_000)
    assert taken["uploaded_by"] == "treasurer@nspc.example"

    assert await world.get(f"/statements/{taken['id']}") == taken
    assert (await world.get("/statements", provider="mekong", day=DAY))["items"] == [taken]
    first = await world.get(f"/statements/{taken['id']}/lines", limit=4)
    rest = await world.get(f"/statements/{taken['id']}/lines", limit=4, cursor=first["next_cursor"])
    lines = first["items"] + rest["items"]
    assert [line["line"] for line in lines] == [2, 3, 4, 5, 6, 7]
    assert {line["instruction_id"] for line in lines[1:]} == {
        str(order.instruction_id) for order in orders
    }
    found = await world.get(f"/statements/{taken['id']}/lines", direction="in")
    assert [line["reference"] for line in found["items"]] == ["test"]
    await world.proofs()


async def test_a_line_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 3)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    lines = [*lines_of(orders)[:2], Line(None, 5_000_000, "test", "deposit"), *lines_of(orders)[2:]]
    rows = written(lines).splitlines()
    bad = [
        "2026-01-05T12:00:00+07:00,REF-1,,disbursement,12x,KHR,0",
        "2026-01-05T12:00:00+07:00,REF-2,,loan,12,KHR,0",
        "2026-01-05T12:00:00+07:00,REF-3,,disbursement,12,USD,0",
        "the fifth of January,REF-4,,disbursement,12,KHR,0",
        '2026-01-05T12:00:00+07:00,"REF-5,,disbursement,12,KHR,0',
        "2026-01-05T12:00:00+07:00,REF-6,,disbursement,0,KHR,0",
        "2026-01-05T12:00:00+07:00,REF-7,,disbursement,12,KHR",
        "2026-01-05T12:00:00+07:00,សង្គ្រោះ,,disbursement,12,KHR,0",
        "2026-01-05T12:00:00+07:00,REF-9,,disbursement,99999999999999999999,KHR,0",
        "9999-12-31T23:59:59-05:00,REF-10,,disbursement,12,KHR,0",
        "0001-01-01T00:00:00+07:00,REF-11,,disbursement,12,KHR,0",
    ]
    content = "\n".join([rows[0], rows[1], *bad, "", *rows[2:]])
    taken = await send(world, content.encode() + b"\n\xff\x00\xfe")
    assert (taken["line_count"], taken["set_aside_count"], taken["open_count"]) == (4, 12, 0)
    listed = (await world.get(f"/statements/{taken['id']}/set-aside"))["items"]
    assert [(fault["line"], fault["field"]) for fault in listed] == [
        (3, "amount"),
        (4, "direction"),
        (5, "currency"),
        (6, "booked_at"),
        (7, "line"),
        (8, "amount"),
        (9, "line"),
        (10, "reference"),
        (11, "amount"),
        (12, "booked_at"),
        (13, "booked_at"),
        (18, "line"),
    ]
    told = str(listed)
    assert "12x" not in told
    assert "loan" not in told


async def test_the_same_file_twice_changes_nothing(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 3)
    content = written(lines_of(orders))
    taken = await send(world, content, key="first")
    assert await send(world, content, key="first") == taken
    assert await send(world, content, key="second") == taken
    assert await owner.fetchval("SELECT count(*) FROM payments.statement") == 1
    assert await owner.fetchval("SELECT count(*) FROM payments.statement_line") == 3


async def test_lines_are_compared_by_several_processes(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 5)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])

    async def beside() -> int:
        """How many processes PostgreSQL started beside others, in all."""
        await owner.execute("SELECT pg_stat_clear_snapshot()")
        count: int = await owner.fetchval(
            "SELECT parallel_workers_launched FROM pg_stat_database "
            "WHERE datname = current_database()"
        )
        return count

    before = await beside()
    await send(world, written(lines_of(orders)))

    async def more() -> bool:
        return await beside() > before

    await eventually(more)


async def test_a_server_without_memory_for_several_processes_compares_by_one(
    world: World, steps: Steps, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = "DO $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$"
    monkeypatch.setattr(repository, "_BY_SEVERAL", text(full))
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 3)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    prefunding = Line(None, 5_000_000, "test", "deposit")
    await send(world, written([prefunding, *lines_of(orders)[1:], Line(None, 12, "REF-1")]))
    kinds = await owner.fetch("SELECT kind::text FROM payments.statement_difference WHERE line > 0")
    missing = await owner.fetch(
        "SELECT payment_id FROM payments.statement_difference WHERE kind = 'not_on_statement'"
    )
    assert [kind for (kind,) in kinds] == ["unknown_payment"]
    assert [payment for (payment,) in missing] == [orders[0].instruction_id]


async def test_what_is_no_statement_is_refused_and_says_what_to_do(world: World) -> None:
    await world.fund(10_000_000)
    content = written([Line(None, 12, "REF-1")])
    unmapped = await send(world, content, status=409)
    assert "POST /v1/statement-mappings" in unmapped["detail"]
    await mapped(world)
    assert "no provider" in (await send(world, content, provider="nobody", status=404))["detail"]
    headings = await send(world, "a,b,c\n1,2,3\n", status=422)
    assert "Correlation ID" in headings["detail"]
    assert (
        "has not come yet" in (await send(world, content, day="2026-01-06", status=422))["detail"]
    )
    other_day = await send(world, content, day="2025-12-01", status=422)
    assert "2026-01-05" in other_day["detail"]
    assert "text/csv" in (await send(world, content, media_type="text/html", status=422))["detail"]
    endless = await send(world, HEADING + "\n" + "a" * 200_000, status=422)
    assert "longer than" in endless["detail"]
    assert (await world.get("/statements"))["items"] == []

    unknown = await world.client.post(
        "/statement-mappings",
        json={**MAPPING, "code": "nobody"},
        headers={"Idempotency-Key": "nobody"},
    )
    assert unknown.status_code == 422
    changes: list[dict[str, Any]] = [{"out_values": []}, {"in_values": ["charge"]}]
    for changed in changes:
        answer = await world.client.post(
            "/statement-mappings",
            json={**MAPPING, **changed, "code": "tonle"},
            headers={"Idempotency-Key": str(changed)},
        )
        assert (answer.status_code == 422) == ("in_values" in changed)


async def test_a_mapping_may_name_few_columns_and_another_shape(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await world.post(
        "/statement-mappings",
        {
            "code": "mekong",
            "delimiter": ";",
            "columns": {"reference": "Ref", "amount": "Sum", "booked_at": "When"},
            "time_format": "%d/%m/%Y %H:%M",
        },
    )
    orders = await ordered(world, steps, 2)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    rows = [
        "Statement of account;;;",
        'Name;"Sum";Ref;When',
        *(
            f'"x;y";"-96,000";reference-of-{order.instruction_id};05/01/2026 12:00'
            for order in orders
        ),
        "x;5000000.00;test;05/01/2026 08:00",
    ]
    taken = await send(world, "\r\n".join(rows))
    assert (taken["line_count"], taken["set_aside_count"], taken["open_count"]) == (3, 0, 0)
    assert (taken["out_minor"], taken["in_minor"]) == (192_000, 5_000_000)
    lines = (await world.get(f"/statements/{taken['id']}/lines", direction="out"))["items"]
    assert {UUID(line["instruction_id"]) for line in lines} == {
        order.instruction_id for order in orders
    }
    assert {line["booked_at"] for line in lines} == {"2026-01-05T05:00:00Z"}


ROW = st.lists(
    st.sampled_from(
        [
            "2026-01-05T12:00:00+07:00",
            "2026-01-05",
            "5",
            "-5",
            "1,000.00",
            "",
            "R-1",
            "\\N",
            "\t",
            "disbursement",
            "deposit",
            "KHR",
            "USD",
            "0199c1de53a17f6b8a272f1f6a1d9a10",
            "\x00",
        ]
    )
    | st.text(max_size=6),
    max_size=9,
)


@given(st.lists(ROW, max_size=30), st.binary(max_size=40), st.integers(1, 200))
def test_whatever_bytes_come_each_line_is_read_or_set_aside(
    rows: list[list[str]], tail: bytes, size: int
) -> None:
    right = "2026-01-05T12:00:00+07:00,R-1,,disbursement,5,KHR,0"
    lines = [HEADING, right, *(",".join(row) for row in rows), right]
    content = "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n" + tail
    document = StatementMappingDocument.model_validate(MAPPING)
    reader = CsvReader(document, currency="KHR", zone=COUNTRY_ZONE)
    for at in range(0, len(content), size):
        reader.feed(content[at : at + size])
    read = reader.end()
    whole = content.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\r")
    assert read.totals.count + len(read.faults) == sum(map(bool, whole.split("\n")[1:]))
    assert read.totals.count >= 2
    kept = b"".join(read.blocks).decode().removesuffix("\n").split("\n")
    assert len(kept) == read.totals.count
    assert all(line.count("\t") == 6 for line in kept)
