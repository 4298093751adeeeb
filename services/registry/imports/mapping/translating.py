"""From what a file's cells say to what the fields' own kinds read: column by column.

What people write in many ways becomes the one that the kinds read; whatever cannot be translated
stays as it is, and the kind refuses it. A text is translated once, however often it stands there.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from services.registry.households.fields import (
    Choice,
    Code,
    Codes,
    Commune,
    Count,
    Day,
    Field,
    Name,
    Phone,
    YesNo,
)
from services.registry.imports.faults import AMBIGUOUS_DAY, DAMAGED, EMPTY, NO_WORD
from services.registry.imports.files.format import FileFormat
from services.registry.imports.mapping.days import AMBIGUOUS
from services.registry.imports.mapping.document import (
    OF_HOUSEHOLD,
    ColumnMapping,
    MappingDocument,
    RowsOf,
    fields_of,
)
from services.registry.imports.mapping.phones import MOBILE, is_mobile, phone_of
from services.registry.imports.mapping.text import western, word_of
from services.registry.imports.mapping.words import meanings_of
from shared.spreadsheets import may_hold_guarded, unguarded

ZEROS, NUMBER, SERIAL, LANDLINE = "zeros-put-back", "was-a-number", "was-a-serial", "landline"
NOTES: Mapping[str, str] = {
    ZEROS: "Zeros that were missing in front were put back, as the mapping says.",
    NUMBER: "The cell was a number with a point; what stands behind the point was left out.",
    SERIAL: "The cell was a number, which was read as Excel's number of a day.",
    LANDLINE: "The phone is no mobile: neither messages nor mobile money arrive on it.",
}

_AS_A_NUMBER = re.compile(r"[0-9]+\.0+")
_BETWEEN_CODES = re.compile(r"[;,/|]")
_STRICT_PHONE = re.compile(r"\+855[1-9][0-9]{7,8}")
_NO_NAME = re.compile("[\u00a0\u200b\u3000\t\ufffd]")
_PLAIN_CODES = re.compile(r"[!-\-/-~]*")
"""Without a blank and a point, and in no other digits than 0 to 9."""
_PLAIN_SMALL_CODES = re.compile(r"[!-\-/-@\[-~]*")
_PLAIN_PHONES = re.compile(rf"(?:{MOBILE})*", re.ASCII)
"""Of mobiles, as they are kept."""
_REMEMBERED = 50_000
_DAMAGED_SIGN = "\N{REPLACEMENT CHARACTER}"
_NO_MEANING = "-"
"""Stands for a word that means nothing, and is none of any field's."""


@dataclass
class Translated:
    """Cells by the header of their field, as the kinds read them, and what is said of them."""

    cells: Mapping[str, Sequence[str]]
    codes: dict[tuple[int, str], str] = field(default_factory=dict)
    """Of cells that a kind will refuse, by row and header: what is known better than that."""
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often something was put right, by header and code."""


Translation = tuple[str, str | None, str | None]
"""The text, the code of what is wrong with it, and that of what was put right."""


class Translator:
    """Translates the rows of one file by one mapping."""

    def __init__(
        self, mapping: MappingDocument, *, headings: Sequence[str], format: FileFormat
    ) -> None:
        self._mapping = mapping
        self._is_workbook = format is FileFormat.XLSX
        known = {known.header: known for known in fields_of(mapping.rows_of)}
        columns = {column.field: column for column in mapping.columns}
        defaults = {default.field: default.value for default in mapping.defaults}
        self._columns = [
            _Column(
                known=field,
                at=_place(columns.get(header), headings),
                default=defaults.get(header, ""),
                translate=self._translation(field, columns.get(header)),
                optional=field.optional
                or (mapping.rows_of is RowsOf.MEMBERS and field in OF_HOUSEHOLD),
                plain=_plainness(field, columns.get(header)),
            )
            for header, field in known.items()
        ]

    def place_of(self, known: Field) -> int | None:
        """Which of a row's cells is of a field; None: the file has no column for it."""
        return next(column.at for column in self._columns if column.known is known)

    def translate(self, rows: Sequence[Sequence[str]]) -> Translated:
        """The cells of some rows, each as wide as the headings."""
        transposed = list(zip(*rows, strict=True))
        translated = Translated({})
        cells = {
            column.known.header: column.read(transposed, len(rows), translated)
            for column in self._columns
        }
        return replace(translated, cells=cells)

    def _translation(
        self, known: Field, column: ColumnMapping | None
    ) -> Callable[[str], Translation]:
        digits = column.digits if column else None
        match known.kind:
            case Name():
                return _name
            case Phone():
                return _phone
            case Code() | Commune():
                return lambda text: _code(text, digits=digits, is_small=not _has_capitals(known))
            case Count():
                return _count
            case Choice() | YesNo():
                meanings: dict[str, str | None] = dict(meanings_of(known))
                meanings |= {
                    word_of(word.word) or word.word: word.means
                    for word in self._mapping.words
                    if word.field == known.header
                }
                return lambda text: _word(text, meanings)
            case Day():
                return self._day
            case Codes():
                return _codes
            case _:
                return lambda text: (western(text), None, None)

    def _day(self, text: str) -> Translation:
        calendar = replace(self._mapping.calendar, serials=self._is_workbook)
        day = calendar.day_of(text)
        if day is AMBIGUOUS:
            return text, AMBIGUOUS_DAY, None
        if not isinstance(day, date):
            return text, None, None
        return day.isoformat(), None, SERIAL if text.strip().isdigit() else None


@dataclass
class _Column:
    known: Field
    at: int | None
    default: str
    translate: Callable[[str], Translation]
    optional: bool
    plain: Callable[[str], bool] | None
    """Whether texts, one behind the other, need no translation."""
    _remembered: dict[str, Translation] = field(default_factory=dict)

    def read(
        self, columns: Sequence[Sequence[str]], count: int, translated: Translated
    ) -> Sequence[str]:
        if self.at is None or not count:
            return [self.default] * count
        cells = columns[self.at]
        if self._is_plain(cells):
            return cells
        remembered, header = self._remembered, self.known.header
        if len(remembered) > _REMEMBERED:
            remembered.clear()
        distinct = set(cells)
        for text in distinct.difference(remembered):
            remembered[text] = self._translate(text)
        if all(remembered[text] == (text, None, None) for text in distinct):
            return cells
        found = [remembered[text] for text in cells]
        texts, codes, notes = zip(*found, strict=True)
        if any(codes):
            for row, code in enumerate(codes):
                if code:
                    translated.codes[row, header] = code
        for note, times in Counter(notes).items():
            if note:
                translated.notes[header, note] += times
        return texts

    def _is_plain(self, cells: Sequence[str]) -> bool:
        """Whether the kind reads all of the cells as they are: most columns are so."""
        if self.plain is None or ("" in cells and (self.default or not self.optional)):
            return False
        text = "".join(cells)
        return self.plain(text) and not may_hold_guarded(text)

    def _translate(self, text: str) -> Translation:
        if not text or text.isspace():
            missing = not self.default and not self.optional
            return self.default, EMPTY if missing else None, None
        if _DAMAGED_SIGN in text:
            return text, DAMAGED, None
        # In a file of ours that comes back, nothing is a formula.
        return self.translate(unguarded(text))


def _place(column: ColumnMapping | None, headings: Sequence[str]) -> int | None:
    if column is None:
        return None
    wanted = word_of(column.heading) or column.heading
    for at, heading in enumerate(headings):
        if heading == column.heading or (word_of(heading) or heading) == wanted:
            return at
    return None


def is_found(column: ColumnMapping, headings: Sequence[str]) -> bool:
    """Whether a file with these headings has that column."""
    return _place(column, headings) is not None


def _plainness(known: Field, column: ColumnMapping | None) -> Callable[[str], bool] | None:
    match known.kind:
        case Name():
            return lambda text: _NO_NAME.search(text) is None
        case Code() | Commune() if column is not None and column.digits is None:
            looks = _PLAIN_CODES if _has_capitals(known) else _PLAIN_SMALL_CODES
            return lambda text: looks.fullmatch(text) is not None
        case Phone():
            return lambda text: _PLAIN_PHONES.fullmatch(text) is not None
        case _:
            return None


def _has_capitals(known: Field) -> bool:
    return "A-Z" in (known.kind.pattern or "A-Z")


def _name(text: str) -> Translation:
    return text.strip("\u00a0\u200b\u3000 \t"), None, None


def _phone(text: str) -> Translation:
    phone = text if _STRICT_PHONE.fullmatch(text) else phone_of(text)
    if phone is None:
        return text, None, None
    return phone, None, None if is_mobile(phone) else LANDLINE


def _code(text: str, *, digits: int | None, is_small: bool) -> Translation:
    note = None
    text = "".join(western(text).split())
    if _AS_A_NUMBER.fullmatch(text):
        text, note = text.partition(".")[0], NUMBER
    if digits and text.isdigit() and len(text) < digits:
        text, note = text.zfill(digits), ZEROS
    return text.lower() if is_small else text, None, note


def _codes(text: str) -> Translation:
    parts = _BETWEEN_CODES.split(western(text).lower())
    return ";".join(part.strip().replace(" ", "-") for part in parts if part), None, None


def _count(text: str) -> Translation:
    text = western(text)
    if _AS_A_NUMBER.fullmatch(text):
        text = text.partition(".")[0]
    return text.lstrip("0") or "0" if text.isdigit() else text, None, None


def _word(text: str, meanings: Mapping[str, str | None]) -> Translation:
    text = text.strip()
    word = word_of(text) or text
    if word not in meanings:
        return text, NO_WORD, None
    meaning = meanings[word]
    return (_NO_MEANING, None, None) if meaning is None else (meaning, None, None)
