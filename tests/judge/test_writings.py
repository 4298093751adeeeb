"""Personal values are found in whatever form a dump or a log may tell them."""

import json
from pathlib import Path

import pytest

from judge.witnesses.writings import (
    NoDump,
    personal_values,
    personal_values_of,
    searched,
    searched_dump,
    searched_file,
)

HOUSEHOLD = {
    "registration_number": "010201-2-00001",
    "head_name": "ប្រាក់ សុខា",
    "phone": "+855201017726",
    "id_number": "990000326",
    "provider_code": "mekong",
    "account": "+855509999999",
}
VALUES = personal_values([HOUSEHOLD])


def bytes_of(column: str) -> str:
    return HOUSEHOLD[column].encode().hex()


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("sending to +855509999999", "account"),
        ('{"event": "sent", "account":"+855509999999"}', "account"),
        ("account=+855509999999;", "account"),
        ("7\t\\\\x" + bytes_of("account") + "\t2020-10-12", "account"),
        (f"'\\x{bytes_of('phone')}'::bytea", "phone"),
        (f"body {bytes_of('id_number')}", "id_number"),
        ("COPY … 990000326\t+1", "id_number"),
        ("paid to ប្រាក់ សុខា, twice", "head_name"),
        (json.dumps({"head": "ប្រាក់ សុខា"}), "head_name"),
        (json.dumps({"head": "ប្រាក់ សុខា"}, ensure_ascii=False), "head_name"),
    ],
)
def test_a_value_is_found(line: str, column: str) -> None:
    found = searched("a log", ["nothing here", line], VALUES)
    assert (found.told, found.first_line) == ({column: 1}, 2)


def test_a_name_is_found_over_the_end_of_a_line() -> None:
    assert searched("a log", ["… ប្រាក់\n", "សុខា …"], VALUES).told == {"head_name": 1}


@pytest.mark.parametrize("line", ["+85550999999", "1990000326", "ប្រាក់ and សុខា", "mekong", ""])
def test_what_is_no_value_is_not_found(line: str) -> None:
    assert searched("a log", [line], VALUES).told == {}


def test_values_and_logs_are_read_from_files(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(",".join(HOUSEHOLD) + "\n" + ",".join(HOUSEHOLD.values()) + "\n")
    log = tmp_path / "worker.log"
    log.write_bytes(b"\xff broken\nto +855509999999\n")
    found = searched_file(log, personal_values_of(rows))
    assert (found.writing, found.told, found.first_line) == ("worker.log", {"account": 1}, 2)


def test_a_dump_that_cannot_be_made_is_no_dump_without_values(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(NoDump, match="No such file"):
        searched_dump(nowhere, VALUES, pg_dump=str(tmp_path / "pg_dump"))
    with pytest.raises(NoDump, match="the event log is not in it"):
        searched_dump(nowhere, VALUES, pg_dump="true")
