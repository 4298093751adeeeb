"""Days as people write them, in the order that a mapping says.

Unambiguous alone are: year first; a month by its name, in English or Khmer; a day above 12. What
may be two days is no day until the mapping says in which order it was written: nobody guesses.

Years from 2400 on are of the Buddhist era, which is 543 years ahead by the civil calendar of
Thailand; by that of Cambodia it is 544 from Visakha Bochea on, which falls between 16 April and
31 May. What is before that is one day by either; what is behind it, the mapping has to say.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from services.registry.imports.mapping.text import western

_FIRST_BUDDHIST_YEAR = 2400
_BUDDHIST_YEARS = 543
_BEFORE_VISAKHA, _AFTER_VISAKHA = (4, 15), (5, 31)
MONTHS = (
    ("january", "jan", "មករា"),
    ("february", "feb", "កុម្ភៈ", "កុម្ភះ", "កុម្ភ"),
    ("march", "mar", "មីនា", "មិនា"),
    ("april", "apr", "មេសា"),
    ("may", "ឧសភា", "ឩសភា"),
    ("june", "jun", "មិថុនា"),
    ("july", "jul", "កក្កដា"),
    ("august", "aug", "សីហា"),
    ("september", "sep", "sept", "កញ្ញា"),
    ("october", "oct", "តុលា"),
    ("november", "nov", "វិច្ឆិកា"),
    ("december", "dec", "ធ្នូ"),
)
_MONTH_OF = {name: at for at, names in enumerate(MONTHS, start=1) for name in names}
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})(?:[T ]00:00(?::00)?)?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})")
_NAMED = re.compile(
    r"(?:ថ្ងៃ(?:ទី)? ?)?([0-9]{1,2})[-/., ]*"
    r"(?:ខែ ?)?([^\W\d_][^\d,./-]*?)\.?[-/., ]*"
    r"(?:ឆ្នាំ ?)?([0-9]{4})"
)
_NAMED_FIRST = re.compile(r"([a-z]+)\.? ([0-9]{1,2}),? ([0-9]{4})")
_SERIAL = re.compile(r"[0-9]{4,5}")
_SERIAL_BEGINS = date(1899, 12, 30)


class DateOrder(StrEnum):
    """In which order a file writes days that may be two."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Era(StrEnum):
    """How years of the Buddhist era are counted."""

    CIVIL = "civil"
    """From 1 January, 543 ahead: Thailand's."""
    VISAKHA = "visakha"
    """From Visakha Bochea: Cambodia's. Days from 16 April to 31 May stay two."""


class Ambiguous:
    """Stands for a day that may be two."""


AMBIGUOUS: Final = Ambiguous()


Day = date | Ambiguous | None
"""A day; one that may be two; or none."""


@dataclass(frozen=True)
class Calendar:
    """What a mapping says of a column of days."""

    order: DateOrder | None = None
    era: Era | None = None
    serials: bool = False
    """Whether a number is Excel's for a day."""

    def day_of(self, text: str) -> Day:
        """The day that a text says."""
        text = western(text).lower()
        if match := _YEAR_FIRST.fullmatch(text):
            return self._date(*match.groups())
        if match := _YEAR_LAST.fullmatch(text):
            first, second, year = match.groups()
            return self._in_order(year, first, second)
        if match := _NAMED.fullmatch(text):
            day, name, year = match.groups()
            return self._date(year, str(_MONTH_OF.get(name.strip(), 0)), day)
        if match := _NAMED_FIRST.fullmatch(text):
            name, day, year = match.groups()
            return self._date(year, str(_MONTH_OF.get(name, 0)), day)
        if self.serials and _SERIAL.fullmatch(text):
            return _SERIAL_BEGINS + timedelta(days=int(text))
        return None

    def _in_order(self, year: str, first: str, second: str) -> Day:
        as_day_first = self._date(year, second, first)
        as_month_first = self._date(year, first, second)
        match self.order:
            case DateOrder.DAY_FIRST:
                return as_day_first
            case DateOrder.MONTH_FIRST:
                return as_month_first
            case None if as_day_first and as_month_first and as_day_first != as_month_first:
                return AMBIGUOUS
            case _:
                return as_day_first or as_month_first

    def _date(self, year: str, month: str, day: str) -> Day:
        number, within = int(year), (int(month), int(day))
        if number >= _FIRST_BUDDHIST_YEAR:
            number -= _BUDDHIST_YEARS
            is_behind = within > _BEFORE_VISAKHA and within[0] <= 12 and 1 <= within[1] <= 31
            if self.era is not Era.CIVIL and is_behind:
                if self.era is None or within <= _AFTER_VISAKHA:
                    return AMBIGUOUS
                number -= 1
        try:
            return date(number, *within)
        except ValueError:
            return None
