"""What can be wrong with a row, by its code, in English and Khmer. No words quote a row."""

from collections.abc import Mapping
from typing import NamedTuple

from services.registry.households.fields import Words
from services.registry.households.shape import MAXIMUM_MEMBERS
from shared.wording.numbers import khmer_digits

EMPTY, REPEATED, CELLS = "empty", "repeated", "cells"
AMBIGUOUS_DAY, NO_WORD, DAMAGED = "ambiguous", "unknown-word", "damaged"
DISAGREES, CONTRADICTS, NOT_REGISTERED = "disagrees", "contradicts", "not-registered"
TO_COME, TOO_MANY = "to-come", "too-many"
TOO_LONG, QUOTE_OPEN, NO_OBJECT = "too-long", "quote-open", "no-object"

ROW = "row"
"""Stands for the column where a fault is of the whole row."""


class Fault(NamedTuple):
    """What is wrong with a row."""

    column: str
    code: str
    detail: str
    """How to mend it."""


WRONG: Mapping[str, Words] = {
    "malformed": Words("It is not written as it has to be.", "សរសេរមិនត្រឹមត្រូវតាមទម្រង់។"),
    "unknown": Words("It is none of those that are known.", "មិនមានក្នុងបញ្ជី។"),
    "out-of-range": Words(
        "It is no whole number, or one that cannot be.", "មិនមែនជាចំនួនគត់ ឬលើសពីដែនកំណត់។"
    ),
    EMPTY: Words("Nothing stands there.", "នៅទទេ។"),
    REPEATED: Words("An earlier row has the same.", "ដដែលនឹងជួរមុន។"),
    CELLS: Words("The row has more or fewer cells than the headings.", "ចំនួនក្រឡាមិនត្រូវនឹងក្បាលតារាង។"),
    AMBIGUOUS_DAY: Words("It may be one of two days.", "កាលបរិច្ឆេទអាចយល់បានពីរយ៉ាង។"),
    NO_WORD: Words("The word is not known.", "មិនស្គាល់ពាក្យនេះ។"),
    DAMAGED: Words("It holds characters that were damaged on their way.", "មានអក្សរខូច។"),
    DISAGREES: Words("Rows of one household say different things of it.", "ជួរនៃគ្រួសារតែមួយមិនស៊ីគ្នា។"),
    CONTRADICTS: Words("It does not go with the rest of the row.", "មិនស៊ីគ្នានឹងជួរនេះ។"),
    TO_COME: Words("The day has not come yet.", "ថ្ងៃនេះមិនទាន់មកដល់ទេ។"),
    TOO_MANY: Words(
        f"Earlier rows are {MAXIMUM_MEMBERS} members of this household, as many as one has.",
        f"គ្រួសារនេះមានសមាជិក {khmer_digits(str(MAXIMUM_MEMBERS))} នាក់រួចហើយ។",
    ),
    NOT_REGISTERED: Words(
        "No household is registered by this number.", "មិនមានគ្រួសារដែលមានលេខនេះទេ។"
    ),
    TOO_LONG: Words("The row is too long to be one.", "ជួរវែងពេក។"),
    QUOTE_OPEN: Words("A quote is opened and never closed.", 'សញ្ញា " បើកហើយមិនបិទ។'),
    NO_OBJECT: Words("The line is no JSON object.", "បន្ទាត់នេះមិនមែនជា JSON object។"),
}
"""What is wrong; each says what a person sees in the row."""

_OF_ROWS: Mapping[str, str] = {
    TOO_LONG: "Look for a quote that is opened and never closed before it, or shorten it.",
    QUOTE_OPEN: 'Close the quote, or write "" where a cell holds one.',
    NO_OBJECT: "Write one object in braces on each line, in UTF-8.",
    CELLS: "Give the row a cell for each heading; put a cell that holds the separator in quotes.",
}
_BEFORE_REMEDY: Mapping[str, str] = {
    AMBIGUOUS_DAY: "Say in the mapping how days are written (date_order, buddhist_era), or write "
    "year, month and day as 1986-04-13.",
    NO_WORD: "Say in the mapping what the word means.",
    DISAGREES: "Write the same in all rows of the household, or in its first row alone.",
    CONTRADICTS: "Correct whichever of them is wrong.",
    NOT_REGISTERED: "Import the household first, or add columns with its commune and poverty "
    "status.",
    TOO_MANY: "Look whether rows of several households bear one registration number.",
    DAMAGED: "Save the file as UTF-8 and send it again.",
}


def of_row(code: str) -> Fault:
    """A row that cannot be one."""
    return Fault(ROW, code, _OF_ROWS[code])


def remedy_of(code: str, remedy: str) -> str:
    """How to mend a cell whose field has this ``remedy``."""
    return f"{before} {remedy}" if (before := _BEFORE_REMEDY.get(code)) else remedy


def wrong(code: str) -> Words:
    """What is wrong, by its code."""
    return WRONG.get(code, WRONG["malformed"])
