"""CSV that people open in a spreadsheet, where a text that begins like a formula is one.

Whoever wrote it may be nobody whom the reader trusts: a provider, a village, a stranger. So an
apostrophe is put before it (OWASP, CSV Injection), and taken away where such a file comes back.
"""

import csv
import io
import re
from collections.abc import Iterable

_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-][0-9 ().-]*")
_GUARD = "'"
_GUARDED = re.compile(r"'[=+\-@\t\r\n]")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"{_GUARD}{text}" if text.startswith(_FORMULA_BEGINS) else text


def guarded_but_numbers(text: str) -> str:
    """The same, with a phone left as it was written: of digits alone there is no formula."""
    return text if _NUMBER.fullmatch(text) else guarded(text)


def may_hold_guarded(texts: str) -> bool:
    """Whether one of some texts, one behind the other, may have been guarded."""
    return _GUARDED.search(texts) is not None


def unguarded(text: str) -> str:
    """The text as it was before it was guarded."""
    return text[1:] if _GUARDED.match(text) else text


def csv_of(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as CSV, their cells as they are."""
    content = io.StringIO()
    csv.writer(content).writerows(rows)
    return content.getvalue().encode()
