"""Households and members are taken out as files, from where a reader broke off, and recorded."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as parquet
import pytest

from services.registry.household_exports import service
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, ids_of, store


async def _exported(flow: Flow, **parameters: Any) -> bytes:
    answer = await flow.client.get("/household-exports", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.content


def _of_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


async def test_exports_hold_every_row_in_each_format_and_go_on_where_they_ended(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flow.register([*rows(5, head_name="=cmd()"), *rows(2, commune="150101", disabled=1)])
    ids = [str(id) for id in await ids_of(flow.owner, "020101")]
    there = [str(id) for id in await ids_of(flow.owner, "150101")]
    (first, *_) = await ids_of(flow.owner, "020101")
    await store(flow, {first: [Person(name="Ouk Bopha", disability=True), Person()]})
    whole = sorted([*ids, *there])

    told = _of_csv(await _exported(flow))
    assert [row["id"] for row in told] == whole
    assert {row["disabled"] for row in told} == {""}
    assert "name" not in told[0]
    lines = [json.loads(line) for line in (await _exported(flow, format="ndjson")).splitlines()]
    assert [line["id"] for line in lines] == whole
    assert {line["members"] for line in lines} <= {2, 4}
    table = parquet.read_table(io.BytesIO(await _exported(flow, format="parquet")))
    assert table.column("id").to_pylist() == whole
    assert [row["id"] for row in _of_csv(await _exported(flow, after=whole[2]))] == whole[3:]
    assert {row["id"] for row in _of_csv(await _exported(flow, area="15"))} == set(there)
    assert _of_csv(await _exported(flow, changed_since="2100-01-01T00:00:00Z")) == []

    persons = _of_csv(await _exported(flow, persons="true"))
    assert {row["name"] for row in persons if row["area_code"] == "020101"} == {"'=cmd()"}
    disabled = {row["id"] for row in persons if row["disabled"] == "1"}
    assert disabled == {*there, str(first)}
    members = _of_csv(await _exported(flow, what="members", persons="true"))
    assert {row["name"] for row in members} == {"Ouk Bopha", "Sok Chanthy"}
    assert {row["disability"] for row in members} == {"yes", "no"}
    unseen = _of_csv(await _exported(flow, what="members"))
    assert {(row["disability"], row["birth_date"]) for row in unseen} == {("", "")}

    elsewhere = _of_csv(await _exported(flow, what="members", area="15"))
    assert elsewhere == []
    assert (
        _of_csv(await _exported(flow, what="members", changed_since="2100-01-01T00:00:00Z")) == []
    )
    last = max(row["id"] for row in members)
    assert _of_csv(await _exported(flow, what="members", after=last)) == []
    async with flow.service.client("households:read", areas=["15"]) as client:
        for what, bound in (("households", set(there)), ("members", set())):
            answer = await client.get("/household-exports", params={"what": what})
            assert {row["id"] for row in _of_csv(answer.content)} == bound
    # Whatever a piece holds, the next goes on behind it.
    monkeypatch.setattr(service, "ROWS_AT_ONCE", 2)
    assert [row["id"] for row in _of_csv(await _exported(flow))] == whole
    assert len(_of_csv(await _exported(flow, what="members"))) == 2

    async with flow.service.client("households:read") as client:
        refused = await client.get("/household-exports", params={"persons": "true"})
    assert refused.status_code == 403
    recorded = await flow.owner.fetch(
        "SELECT audit_record::text AS said FROM registry.audit_record"
    )
    said = [row["said"].replace('""', '"') for row in recorded]
    assert any('"rows": 7' in each and '"whole": true' in each for each in said), said[-1]
