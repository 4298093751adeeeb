"""How alike two names of persons are, whatever script and order they are written in. Pure.

Words are paired so that the pairs sound most alike; the least alike pair counts most, for two
persons often share a family name. Distances are those of ``rapidfuzz`` over the codes of
``sounds.py``. Nothing here raises, whatever the text, and no text takes long.
"""

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


def compare(one: str, other: str) -> Likeness:
    """How alike two names are. The same whichever comes first, and in whatever order of words."""
    return compare_words(words_of(one), words_of(other))


def most_alike(names: Sequence[str], registered: str) -> Likeness:
    """The likeness of the one among several spellings of a name that is most like another."""
    words = words_of(registered)
    found = [compare_words(words_of(name), words) for name in names]
    return max(found, key=lambda each: each.percent, default=NOTHING_TO_COMPARE)


def compare_words(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness:
    """The same, of names whose words were read already."""
    if not one or not other:
        return NOTHING_TO_COMPARE
    if sorted(one) == sorted(other):
        return Likeness(100, Method.SAME)
    if max(len(one), len(other)) > _MOST_PAIRED:
        return Likeness(
            round(fuzz.token_sort_ratio(*sorted((" ".join(one), " ".join(other))))), Method.SORTED
        )
    sounds = [_sound(word) for word in one], [_sound(word) for word in other]
    paired = _paired(*sounds)
    joined = _joined(*sounds)
    if joined > paired:
        return Likeness(round(100 * joined), Method.JOINED)
    return Likeness(round(100 * paired), Method.WORDS)


def _paired(one: Sequence[Sound], other: Sequence[Sound]) -> float:
    few, many = sorted((one, other), key=len)
    best = max(_of_pairs(few, chosen) for chosen in permutations(many, len(few)))
    if len(few) == len(many):
        return best
    return min(best, _ONE_WORD_ALONE if len(few) == 1 else _WORD_MISSING)


def _of_pairs(one: Sequence[Sound], other: Sequence[Sound]) -> float:
    pairs = [_alike(*sorted(pair)) for pair in zip(one, other, strict=True)]
    least, mean = min(pairs), sum(pairs) / len(pairs)
    return _LEAST_PAIR_COUNTS * least + (1 - _LEAST_PAIR_COUNTS) * mean


def _joined(one: Sequence[Sound], other: Sequence[Sound]) -> float:
    """Of names that are divided otherwise: in Khmer words are often written together."""
    if len(one) == len(other):
        return 0.0
    found = max(
        Levenshtein.normalized_similarity(*sorted((_code(first), _code(second))))
        for first in permutations(one)
        for second in permutations(other)
    )
    return found if found >= _LEAST_JOINED else 0.0


def _code(sounds: Sequence[Sound]) -> str:
    return "".join(sound.code for sound in sounds)


@lru_cache(maxsize=20_000)
def _sound(word: str) -> Sound:
    return sound_of(word)


def _alike(one: Sound, other: Sound) -> float:
    """How alike two words sound, 0 to 1."""
    if one.code == other.code:
        return 1.0
    if 1 in (len(one.frame), len(other.frame)) and _is_initial(one, other):
        return _INITIAL
    cost = sum(
        _cost(one.code, other.code, *place)
        for place in Levenshtein.editops(one.code, other.code).as_list()
    )
    return max(0.0, 1 - cost / max(len(one.code), len(other.code)))


def _is_initial(one: Sound, other: Sound) -> bool:
    short, long = sorted((one.code, other.code), key=len)
    return len(short) == 1 and short not in VOWELS and long.startswith(short)


def _cost(one: str, other: str, kind: str, at: int, at_other: int) -> float:
    match kind:
        case "delete":
            return _of_left_out(one, at)
        case "insert":
            return _of_left_out(other, at_other)
    first, second = one[at], other[at_other]
    if first not in VOWELS or second not in VOWELS:
        return _OF_SOUNDS
    # Dara and Dary, Chantha and Chanthy: what a name ends with tells persons apart.
    if at == len(one) - 1 or at_other == len(other) - 1:
        return _OF_SOUNDS
    return _OF_A_AND_O if {first, second} == {"a", "o"} else _OF_VOWELS


def _of_left_out(code: str, at: int) -> float:
    inside = 0 < at < len(code) - 1
    return _OF_A_VOWEL_LEFT_OUT if inside and code[at] in VOWELS else _OF_SOUNDS
