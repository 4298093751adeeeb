"""The page on the house names files and folders that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
BEGINS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.split("## Where to begin")[1].splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| change"))
]
NAMED = sorted(set(re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]*(?:\.[a-z]+)?)`", PAGE)))


def test_ten_changes_are_answered() -> None:
    assert len(BEGINS) == 10


@pytest.mark.parametrize(("change", "begins_in", "then"), BEGINS)
def test_a_change_begins_in_a_file_that_is_there(change: str, begins_in: str, then: str) -> None:
    (path,) = re.findall(r"`([^`]+)`", begins_in)
    assert (ROOT / path).is_file(), change
    for named in re.findall(r"`([^`]+\.py)`", then):
        assert (ROOT / named).is_file() or named == "handlers.py", change


@pytest.mark.parametrize("path", [name for name in NAMED if name.count("/") > 1 or "." in name])
def test_whatever_else_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()
