"""What persons are compared by: keyed, so that it tells nobody who they are. Pure.

Everything is a number of eight bytes under a key (BLAKE2b, RFC 7693) that is drawn for one
comparison, kept in memory alone and gone with the process: what lies in DuckDB's files meanwhile
cannot be matched with any list of names, nor with another comparison. docs/decisions/duplicates.md
says what it tells all the same.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from services.registry.names.sounds import sound_of
from services.registry.names.words import words_of

_KEY_BYTES = 32
_NUMBER_BYTES = 8
_MOST_WORDS = 5
_WORDS_REMEMBERED = 200_000


class Person(NamedTuple):
    """A person while their values are open."""

    name: str
    birth_date: date | None
    sex: str | None
    area_code: str
    """Of the commune."""
    id_number: bytes | None
    """By its blind index, as the phone."""
    phone: bytes | None


class Features(NamedTuple):
    """A person as they are compared; every number is keyed."""

    names: int | None
    """Of all words as they sound, in whatever order."""
    codes: list[int]
    """Of each word as it sounds."""
    grams: list[int]
    """Of each two letters that stand together in a word as it sounds."""
    word_low: int | None
    word_high: int | None
    """Two of the words, by the order of their numbers: the same in whatever order they stand."""
    born: int | None
    born_turned: int | None
    """With the day and the month in the place of one another."""
    year: int | None
    years: list[int]
    """The year and the two beside it."""
    day: int | None
    """Of the year."""
    sex: int | None
    commune: int
    district: int
    province: int
    id_number: int | None
    phone: int | None


class Blinding:
    """Makes features under one key."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(_KEY_BYTES)
        self._of_word = lru_cache(_WORDS_REMEMBERED)(self._word)
        self._of_text = lru_cache(_WORDS_REMEMBERED)(self._number)

    def _number(self, kind: str, value: str | bytes) -> int:
        content = value if isinstance(value, bytes) else value.encode()
        digest = hashlib.blake2b(
            content, key=self._key, digest_size=_NUMBER_BYTES, person=kind.encode()
        )
        return int.from_bytes(digest.digest(), signed=True)

    def _word(self, word: str) -> tuple[int, tuple[int, ...]]:
        code = sound_of(word).code
        framed = f"^{code}$"
        grams = {framed[at : at + 2] for at in range(len(framed) - 1)}
        return self._number("code", code), tuple(self._number("gram", gram) for gram in grams)

    def of(self, person: Person) -> Features:
        """What a person is compared by."""
        words = [self._of_word(word) for word in words_of(person.name)[:_MOST_WORDS]]
        codes = sorted({code for code, _ in words})
        grams = sorted({gram for _, several in words for gram in several})
        names = self._of_text("names", " ".join(map(str, codes))) if codes else None
        born = person.birth_date
        area = person.area_code
        return Features(
            names=names,
            codes=codes,
            grams=grams,
            word_low=codes[0] if codes else None,
            word_high=codes[-1] if codes else None,
            born=None if born is None else self._of_text("born", born.isoformat()),
            born_turned=None
            if born is None
            else self._of_text("born", f"{born.year:04}-{born.day:02}-{born.month:02}"),
            year=None if born is None else self._of_text("year", str(born.year)),
            years=[]
            if born is None
            else [self._of_text("year", str(born.year + by)) for by in (-1, 0, 1)],
            day=None if born is None else self._of_text("day", f"{born.month:02}-{born.day:02}"),
            sex=self._of_text("sex", person.sex) if person.sex else None,
            commune=self._of_text("area", area),
            district=self._of_text("area", area[:4]),
            province=self._of_text("area", area[:2]),
            id_number=self._number("id-number", person.id_number) if person.id_number else None,
            phone=self._number("phone", person.phone) if person.phone else None,
        )


def beside(features: Sequence[Features]) -> list[list[int]]:
    """Of the members of one household: whom each lives with, by their names as they sound."""
    names = [known.names for known in features]
    return [
        sorted({other for place, other in enumerate(names) if other is not None and place != at})
        for at in range(len(names))
    ]
