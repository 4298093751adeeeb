"""What a field of a household or of a member can be: how it is read, stored and shown.

``shape.py`` declares the fields of a household, ``members/shape.py`` those of a member. Whoever
reads, stores or shows them derives from there.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple

from shared.values import UNFIT_FOR_A_LINE

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COMMUNE_DIGITS, _VILLAGE_DIGITS = 6, 8
_PHONE = re.compile(r"(?:\+?855|0)([1-9][0-9]{7,8})")
_BETWEEN_DIGITS = re.compile(r"[\s().\-\u2013/\u200b]+")
_KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")


class _Unreadable:
    """Stands for a cell that cannot be read: neither greater nor less than any value."""

    def __gt__(self, other: object) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return False


UNREADABLE: Final = _Unreadable()


class ReadColumn(NamedTuple):
    """The values of a column's cells, in their order, and whether all could be read."""

    values: Sequence[Any]
    readable: bool


class _Words(dict[str, Any]):
    """What each text reads as. Any other is unreadable."""

    def __missing__(self, text: str) -> _Unreadable:
        return UNREADABLE

    def read(self, cells: Iterable[str]) -> ReadColumn:
        values = list(map(self.__getitem__, cells))
        return ReadColumn(values, UNREADABLE not in set(values))


class Kind(ABC):
    """A kind of field. Its values are ``str``, ``int``, ``bool``, ``date`` or, of several, a
    ``tuple``; None stands for an empty cell."""

    fault: ClassVar[str]
    """The code of a cell that cannot be read."""

    @property
    def shown(self) -> type:
        """Its type in the API."""
        return str

    @property
    def pattern(self) -> str | None:
        """What its texts look like, if that can be said."""
        return None

    @property
    def maximum_characters(self) -> int | None:
        """How long its texts are at most, if that can be said."""
        return None

    @property
    def blank(self) -> str:
        """What a file says where nothing is known."""
        return ""

    @abstractmethod
    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        """The values of a file's cells; ``optional`` ones may be empty.

        ``communes``: what the code of each commune and village that may be written is now.
        """

    def normalised(self, text: str) -> str | None:
        """A text as it is kept and searched for; None where it cannot be one."""
        return text


def _blank(text: str, optional: bool) -> _Unreadable | None:
    return None if optional and not text else UNREADABLE


@dataclass(frozen=True)
class Code(Kind):
    """A text of one pattern; ``capital`` letters if there are letters."""

    looks_like: str
    longest: int
    capital: bool = False

    fault = "malformed"

    @property
    def pattern(self) -> str:
        return self.looks_like

    @property
    def maximum_characters(self) -> int:
        return self.longest

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        # Most columns can be read as a whole.
        written = list(filter(None, cells)) if optional else cells
        lines = "".join([f"{text}\n" for text in written])
        if lines.count("\n") == len(written) and self._lines.fullmatch(lines):
            as_kept = not self.capital or lines.upper() == lines
            values = cells if as_kept else [text.upper() for text in cells]
            is_full = len(written) == len(cells)
            return ReadColumn(values if is_full else [text or None for text in values], True)
        fits = re.compile(self.looks_like).fullmatch
        return ReadColumn(
            [self.normalised(text) if fits(text) else _blank(text, optional) for text in cells],
            False,
        )

    @cached_property
    def _lines(self) -> re.Pattern[str]:
        """Any number of them, each a line; none is tried again where a later one does not fit."""
        return re.compile(f"(?:(?:{self.looks_like})\n)*+")

    def normalised(self, text: str) -> str:
        return text.upper() if self.capital else text


@dataclass(frozen=True)
class Phone(Kind):
    """A Cambodian number, kept in the form +855…"""

    fault = "malformed"

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        fits = _PHONE.fullmatch
        values = [
            f"+855{match[1]}" if (match := fits(text)) else _blank(text, optional) for text in cells
        ]
        return ReadColumn(values, UNREADABLE not in values)

    def normalised(self, text: str) -> str | None:
        # A person types it, with blanks and in the digits at hand.
        match = _PHONE.fullmatch(_BETWEEN_DIGITS.sub("", text.translate(_KHMER_DIGITS)))
        return f"+855{match[1]}" if match else None


@dataclass(frozen=True)
class Name(Kind):
    """A name in any script, in Unicode's form NFC, without blanks around it."""

    longest: int

    fault = "malformed"

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        names = [text.strip() for text in cells]
        together = "".join(names)
        if not together.isascii():
            names = [unicodedata.normalize("NFC", name) for name in names]
        lengths = set(map(len, names))
        fit = min(lengths, default=1) and max(lengths, default=1) <= self.longest
        if fit and not UNFIT_FOR_A_LINE.search(together):
            return ReadColumn(names, True)
        values = [
            name
            if 0 < len(name) <= self.longest and not UNFIT_FOR_A_LINE.search(name)
            else _blank(name, optional)
            for name in names
        ]
        return ReadColumn(values, UNREADABLE not in values)


@dataclass(frozen=True)
class Commune(Kind):
    """A commune of the gazetteer, by its code: the one that it has now, or had before."""

    fault = "unknown"

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        named = set(cells)
        known = _now(named, communes, digits=_COMMUNE_DIGITS)
        if len(known) == len(named) and all(code == now for code, now in known.items()):
            return ReadColumn(cells, True)
        return _Words(known).read(cells)


@dataclass(frozen=True)
class Village(Kind):
    """A village of the gazetteer, by its code, in the commune of a field of the same household."""

    within: str
    """The name of the field of the commune that it lies in."""

    fault = "unknown"

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        known = _now(set(cells), communes, digits=_VILLAGE_DIGITS)
        if optional:
            known[""] = None
        return _Words(known).read(cells)


def _now(named: Iterable[str], communes: Mapping[str, str], *, digits: int) -> dict[str, Any]:
    return {code: communes[code] for code in named if len(code) == digits and code in communes}


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    choices: type[StrEnum]
    name: str
    """Of the enum type in the database."""

    fault = "unknown"

    @property
    def shown(self) -> type:
        return self.choices

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        words = _Words({choice.value: choice.value for choice in self.choices})
        if optional:
            words[""] = None
        return words.read(cells)


@dataclass(frozen=True)
class Count(Kind):
    """How many members there are: of all of them, or of those in a category."""

    least: int
    most: int
    within: str | None = None
    """The name of the field that this can never be more than."""

    fault = "out-of-range"

    @property
    def shown(self) -> type:
        return int

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        return _Words({str(count): count for count in self._counts}).read(cells)

    @property
    def blank(self) -> str:
        return str(self.least)

    @property
    def _counts(self) -> range:
        return range(self.least, self.most + 1)


@dataclass(frozen=True)
class Day(Kind):
    """A day by the calendar, as ISO 8601 writes it: 2019-04-13."""

    earliest: date
    latest: date

    fault = "malformed"

    @property
    def shown(self) -> type:
        return date

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        return _Words({text: self._read(text, optional) for text in set(cells)}).read(cells)

    def _read(self, text: str, optional: bool) -> date | _Unreadable | None:
        if _ISO_DAY.fullmatch(text) is None:
            return _blank(text, optional)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return UNREADABLE
        return day if self.earliest <= day <= self.latest else UNREADABLE


@dataclass(frozen=True)
class YesNo(Kind):
    """Yes or no."""

    fault = "unknown"

    @property
    def shown(self) -> type:
        return bool

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        words = _Words({"yes": True, "no": False})
        if optional:
            words[""] = None
        return words.read(cells)

    @property
    def blank(self) -> str:
        return "no"


@dataclass(frozen=True)
class Codes(Kind):
    """Any number of codes of one pattern, each once, with a semicolon between them; or none."""

    looks_like: str
    longest: int
    most: int

    fault = "malformed"

    @property
    def shown(self) -> type:
        return list[str]

    def read(
        self, cells: Sequence[str], *, optional: bool, communes: Mapping[str, str]
    ) -> ReadColumn:
        return _Words({text: self._read(text) for text in set(cells)}).read(cells)

    def _read(self, text: str) -> tuple[str, ...] | _Unreadable:
        codes = tuple(sorted({code.strip() for code in text.split(";")} - {""}))
        fits = re.compile(self.looks_like).fullmatch
        return codes if len(codes) <= self.most and all(map(fits, codes)) else UNREADABLE


class Kept(StrEnum):
    """Where a field's value is kept."""

    OPEN = auto()
    """In a column of the household or the member, of the field's name."""
    SEALED = auto()
    """With the person, in ``person_sealed``: nobody reads it from the database."""
    ACCOUNT = auto()
    """With the payee account, which has a table and a life of its own: all of it, or none."""
    APART = auto()
    """In a table of its own, which says since when and until when."""


@dataclass(frozen=True)
class Words:
    """What people call a field, in English and in Khmer."""

    english: str
    khmer: str


@dataclass(frozen=True)
class Aged:
    """Counts members by how many whole years old they are on the day that counts."""

    least: int = 0
    below: int | None = None


@dataclass(frozen=True)
class Having:
    """Counts members for whom a field of theirs says yes."""

    field: str


@dataclass(frozen=True)
class Expecting:
    """Counts members whose day, in a field of theirs, lies within so many days from the day that
    counts, that day included."""

    field: str
    within_days: int


CountedMembers = Aged | Having | Expecting
"""Which members a count of a household counts, where its members are rows."""


@dataclass(frozen=True)
class BlindIndex:
    """How a sealed value is found again: by the keyed hash in this column."""

    column: str
    unique: bool = False


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that is known of a household, or of a member of one."""

    name: str
    """In the API, in rules, in benefits, and as a column."""
    header: str = ""
    """Its column in a file; the name, unless that is another."""
    kind: Kind
    kept: Kept
    personal: bool
    sensitive: bool = False
    """Of the health of a person: kept open, to decide by, and shown with the person alone."""
    optional: bool = False
    words: Words
    also: str = ""
    """What else people head its column with, in English and Khmer, with commas between."""
    write: str
    """How it is written."""
    example: Any
    found_by: BlindIndex | None = None
    sealed_at: int | None = None
    """Its place in what is sealed. It never changes: what was sealed before is read by it."""
    in_rules: bool = False
    """Whether a rule may speak of it."""
    in_benefits: bool = False
    """Whether a benefit may pay for each member whom it counts."""
    counts: CountedMembers | None = None
    """Whom it counts. A count without stays what the source of the household said."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", self.header or self.name)

    @property
    def remedy(self) -> str:
        """What to do about a cell that cannot be read."""
        if not self.optional:
            return f"Write {self.write}."
        blank = "provider and account" if self.kept is Kept.ACCOUNT else "it"
        return f"Write {self.write}, or leave {blank} empty."

    @property
    def described(self) -> str:
        return f"{self.words.english} ({self.words.khmer})"
