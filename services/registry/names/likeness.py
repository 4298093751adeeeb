"""How alike two names of persons are, whatever script and order they are written in. Pure.

Words are paired so that the pairs sound most alike; the least alike pair counts most, for two
persons often share a family name. Distances are those of ``rapidfuzz`` over the codes of
``sounds.py``. Nothing here raises, whatever the text, and no text takes long.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from services.registry.names.sounds import VOWELS, Sound, sound_of
from services.registry.names.words import words_of

ALIKE_FROM = 85
DOUBTFUL_FROM = 60

_MOST_PAIRED = 4
"""Names of more words are compared as sorted words."""
_LEAST_PAIR_COUNTS = 0.6
_INITIAL = 0.8
_WORD_MISSING = 0.84
"""The most where one name has a word more: not alike by itself."""
_ONE_WORD_ALONE = 0.7
"""The most where one of the names is a single word: a family name alone, or a given name."""
_LEAST_JOINED = 0.9

# What one difference of two codes costs.
_OF_A_AND_O = 0.3
_OF_VOWELS = 0.6
_OF_A_VOWEL_LEFT_OUT = 0.4
_OF_SOUNDS = 1.0


class Verdict(StrEnum):
    ALIKE = "alike"
    DOUBTFUL = "doubtful"
    UNLIKE = "unlike"
    NO_NAME = "no_name"
    """One of the two is empty, or in a script that is not read here."""


class Method(StrEnum):
    SAME = "same"
    """The same words, in whatever order."""
    WORDS = "words"
    """Words paired by their sounds."""
    JOINED = "joined"
    """The same sounds, divided into words otherwise."""
    SORTED = "sorted"
    """Names of many words, sorted and compared as a whole."""
    NOTHING = "nothing"
    """There was nothing to compare."""


class Likeness(NamedTuple):
    """What comparing two names came to."""

    percent: int
    """0 to 100."""
    method: Method

    @property
    def verdict(self) -> Verdict:
        if self.method is Method.NOTHING:
            return Verdict.NO_NAME
        if self.percent >= ALIKE_FROM:
            return Verdict.ALIKE
        return Verdict.DOUBTFUL if self.percent >= DOUBTFUL_FROM else Verdict.UNLIKE


NOTHING_TO_COMPARE = Likeness(0, Method.NOTHING)


def compare(first: str, second: str) -> Likeness:
    """How alike two names are. The same whichever comes first, and in whatever order of words."""
    return compare_words(words_of(first), words_of(second))


def most_alike(names: Sequence[str], registered: str) -> Likeness:
    """The likeness of the one among several spellings of a name that is most like another."""
    words = words_of(registered)
    found = [compare_words(words_of(name), words) for name in names]
    return max(found, key=lambda each: each.percent, default=NOTHING_TO_COMPARE)


def compare_words(first: tuple[str, ...], second: tuple[str, ...]) -> Likeness:
    """The same, of names whose words were read already."""
    if not first or not second:
        return NOTHING_TO_COMPARE
    if sorted(first) == sorted(second):
        return Likeness(100, Method.SAME)
    if max(len(first), len(second)) > _MOST_PAIRED:
        return Likeness(
            round(fuzz.token_sort_ratio(*sorted((" ".join(first), " ".join(second))))),
            Method.SORTED,
        )
    sounds = [_sound(word) for word in first], [_sound(word) for word in second]
    paired = _paired(*sounds)
    joined = _joined(*sounds)
    if joined > paired:
        return Likeness(round(100 * joined), Method.JOINED)
    return Likeness(round(100 * paired), Method.WORDS)


def _paired(first: Sequence[Sound], second: Sequence[Sound]) -> float:
    few, many = sorted((first, second), key=len)
    best = max(_of_pairs(few, chosen) for chosen in permutations(many, len(few)))
    if len(few) == len(many):
        return best
    return min(best, _ONE_WORD_ALONE if len(few) == 1 else _WORD_MISSING)


def _of_pairs(first: Sequence[Sound], second: Sequence[Sound]) -> float:
    pairs = [
        _alike(word, other) if word <= other else _alike(other, word)
        for word, other in zip(first, second, strict=True)
    ]
    # Exactly summed: what is rounded in another order may come out one per cent apart.
    least, mean = min(pairs), math.fsum(pairs) / len(pairs)
    return _LEAST_PAIR_COUNTS * least + (1 - _LEAST_PAIR_COUNTS) * mean


def _joined(first: Sequence[Sound], second: Sequence[Sound]) -> float:
    """Of names that are divided otherwise: in Khmer words are often written together."""
    if len(first) == len(second):
        return 0.0
    found = max(
        Levenshtein.normalized_similarity(*sorted((_code(order), _code(other))))
        for order in permutations(first)
        for other in permutations(second)
    )
    return found if found >= _LEAST_JOINED else 0.0


def _code(sounds: Sequence[Sound]) -> str:
    return "".join(sound.code for sound in sounds)


@lru_cache(maxsize=20_000)
def _sound(word: str) -> Sound:
    return sound_of(word)


# Candidates of a search share most of their words. Kept of two words, and never of a whole name.
@lru_cache(maxsize=50_000)
def _alike(first: Sound, second: Sound) -> float:
    """How alike two words sound, 0 to 1."""
    if first.code == second.code:
        return 1.0
    if 1 in (len(first.frame), len(second.frame)) and _is_initial(first, second):
        return _INITIAL
    cost = sum(
        _cost(first.code, second.code, *place)
        for place in Levenshtein.editops(first.code, second.code).as_list()
    )
    return max(0.0, 1 - cost / max(len(first.code), len(second.code)))


def _is_initial(first: Sound, second: Sound) -> bool:
    short, long = sorted((first.code, second.code), key=len)
    return len(short) == 1 and short not in VOWELS and long.startswith(short)


def _cost(code: str, other: str, kind: str, at: int, at_other: int) -> float:
    match kind:
        case "delete":
            return _of_left_out(code, at)
        case "insert":
            return _of_left_out(other, at_other)
    sound, another = code[at], other[at_other]
    if sound not in VOWELS or another not in VOWELS:
        return _OF_SOUNDS
    # Dara and Dary, Chantha and Chanthy: what a name ends with tells persons apart.
    if at == len(code) - 1 or at_other == len(other) - 1:
        return _OF_SOUNDS
    return _OF_A_AND_O if {sound, another} == {"a", "o"} else _OF_VOWELS


def _of_left_out(code: str, at: int) -> float:
    inside = 0 < at < len(code) - 1
    return _OF_A_VOWEL_LEFT_OUT if inside and code[at] in VOWELS else _OF_SOUNDS
