"""Households in any number."""

import csv
from pathlib import Path

from benchmarks.households import write_parts


def test_the_parts_hold_so_many_different_households(tmp_path: Path) -> None:
    paths = write_parts(tmp_path, households=1_001, parts=3)
    numbers = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            numbers.append([row["registration_number"] for row in csv.DictReader(file)])

    assert sorted(len(part) for part in numbers) == [333, 334, 334]
    assert len({number for part in numbers for number in part}) == 1_001
