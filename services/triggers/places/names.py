"""Names of places as people write them: what is one name however spelt, and what is likely."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz import fuzz, process

from services.triggers.areas import COUNTRY

_LEAST_LIKENESS = 60
"""Of a hundred: below it a suggestion would mislead."""


class PlaceName(NamedTuple):
    """One of the names of a place, as it is matched."""

    area: str
    key: str
    place_code: str
    name: str
    """The place's one name."""


def key_of(name: str) -> str:
    """What spellings of one name share: no case, no punctuation, no marks over Latin letters.

    Words and their order stay, and so do Khmer's signs, which are letters.
    """
    composed = unicodedata.normalize("NFKC", name).casefold()
    decomposed = unicodedata.normalize("NFD", composed)
    # Khmer's vowel signs are marks as well, which \W would take for what lies between words.
    letters = "".join(letter for letter in decomposed if not _is_a_mark_over_latin(letter))
    spaced = "".join(
        letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in letters
    )
    return " ".join(spaced.split())


def find_place(name: str, *, area: str, names: Sequence[PlaceName]) -> PlaceName | None:
    """The place that goes by a name in an area; None: none does, or several do."""
    key = key_of(name)
    places = {
        known.place_code: known
        for known in names
        if known.key == key and are_together(area, known.area)
    }
    return next(iter(places.values())) if len(places) == 1 else None


def likeliest(name: str, *, area: str, names: Sequence[PlaceName]) -> PlaceName | None:
    """The place of an area whose name is most like another; None: none is like it."""
    there = [known for known in names if are_together(area, known.area)]
    found = process.extractOne(
        key_of(name),
        [known.key for known in there],
        scorer=fuzz.token_sort_ratio,
        score_cutoff=_LEAST_LIKENESS,
    )
    return None if found is None else there[found[2]]


def are_together(area: str, other: str) -> bool:
    """Whether one of two areas lies in the other."""
    return COUNTRY in (area, other) or area.startswith(other) or other.startswith(area)


def _is_a_mark_over_latin(letter: str) -> bool:
    return "\N{COMBINING GRAVE ACCENT}" <= letter <= "\N{COMBINING LATIN SMALL LETTER X}"
