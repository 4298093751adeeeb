"""docs/performance.md tells what was measured, and never less than it knew."""

from pathlib import Path

from benchmarks.document import NOTES, ORDER, keep, render
from tests.benchmarks.examples import figure


def test_a_missed_reach_is_told_with_its_reason() -> None:
    document = render({"activation": figure(value=2.6)}, notes="### activation\n\nWhy it is slow.")

    assert "**falls short by 100%**" in document
    assert "2.60 × where the reach is ≤ 1.30 ×" in document
    assert "Why it is slow." in document


def test_what_is_reached_is_not_called_short() -> None:
    document = render({"activation": figure()}, notes="")

    assert "falls short" not in document
    assert "Every figure that was measured is within its reach." in document


def test_a_row_that_was_never_measured_says_so() -> None:
    assert "| dispatch | not measured yet |" in render({"activation": figure()}, notes="")


def test_a_run_of_some_rows_keeps_the_others(tmp_path: Path) -> None:
    figures, document = tmp_path / "figures.json", tmp_path / "performance.md"
    keep([figure(name="import", value=0.5)], figures=figures, document=document)
    keep([figure(name="events", value=9, unit="ms")], figures=figures, document=document)
    keep([figure(name="events", value=8, unit="ms")], figures=figures, document=document)

    text = document.read_text()
    assert "0.50 ×" in text
    assert "8 ms" in text
    assert "9 ms" not in text


def test_every_row_has_its_notes() -> None:
    notes = NOTES.read_text()

    assert all(f"### {name}\n" in notes for name in ORDER)
