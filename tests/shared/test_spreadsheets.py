"""What a stranger wrote is no formula in a spreadsheet, and comes back as it was."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from shared.spreadsheets import (
    csv_of,
    guarded,
    guarded_but_numbers,
    may_hold_guarded,
    unguarded,
)

TEXTS = st.text(st.sampled_from("=+-@\t\r\n'a1 ,\""), max_size=8)


@given(text=TEXTS)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    for safe in (guarded(text), guarded_but_numbers(text)):
        (row,) = csv.reader(io.StringIO(csv_of([[safe, "x"]]).decode(), newline=""))
        assert row == [safe, "x"]
        if row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
            assert safe is text
            assert not text.strip("+-0123456789 ().")
        if safe != text:
            assert unguarded(safe) == text
            assert may_hold_guarded(f"before{safe}behind")
        elif not may_hold_guarded(text):
            assert unguarded(text) == text


def test_a_phone_is_left_as_it_was_written() -> None:
    assert guarded_but_numbers("+855 12-345 678") == "+855 12-345 678"
    assert guarded("+855 12-345 678") == "'+855 12-345 678"
    assert guarded_but_numbers("+855+1") == "'+855+1"
