"""Households in any number."""

import csv
from pathlib import Path

import pytest

from benchmarks.households import write_parts
from demo.country import COUNTRY_HOUSEHOLDS

pytestmark = pytest.mark.long


def test_the_parts_hold_so_many_different_households(tmp_path: Path) -> None:
    paths = write_parts(tmp_path, households=1_001, parts=3)
    numbers = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            numbers.append([row["registration_number"] for row in csv.DictReader(file)])

    assert sorted(len(part) for part in numbers) == [333, 334, 334]
    assert len({number for part in numbers for number in part}) == 1_001


def test_nobody_has_the_phone_or_the_id_number_of_somebody_else(tmp_path: Path) -> None:
    """Else whole countries would be suspected, and not paid."""
    country = COUNTRY_HOUSEHOLDS + 2_000
    found: dict[str, set[str]] = {"phone": set(), "id_number": set()}
    rows = 0
    for series, households in (("", country), ("F", 2_000)):
        (path,) = write_parts(tmp_path, households=households, parts=1, series=series)
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for field, values in found.items():
                    assert row[field] not in values
                    values |= {row[field]} - {""}
                rows += 1
    assert rows == country + 2_000
