"""Khmer script in Latin letters, as the names of persons are commonly written. Pure.

By the table of Cambodia's Geographic Department (1995, revised in 1997), which has no marks over
letters and follows the United Nations' system of 1972 (resolution II/10): a consonant is of the
first or the second series, and a vowel sign is read by the series of what carries it. Names are
written without a rule; what is left of the differences, ``sounds.py`` takes away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

_FIRST, _SECOND = 0, 1

# Letter: how it is written, and its series.
_CONSONANTS: dict[str, tuple[str, int]] = {
    "ក": ("k", _FIRST),
    "ខ": ("kh", _FIRST),
    "គ": ("k", _SECOND),
    "ឃ": ("kh", _SECOND),
    "ង": ("ng", _SECOND),
    "ច": ("ch", _FIRST),
    "ឆ": ("chh", _FIRST),
    "ជ": ("ch", _SECOND),
    "ឈ": ("chh", _SECOND),
    "ញ": ("nh", _SECOND),
    "ដ": ("d", _FIRST),
    "ឋ": ("th", _FIRST),
    "ឌ": ("d", _SECOND),
    "ឍ": ("th", _SECOND),
    "ណ": ("n", _FIRST),
    "ត": ("t", _FIRST),
    "ថ": ("th", _FIRST),
    "ទ": ("t", _SECOND),
    "ធ": ("th", _SECOND),
    "ន": ("n", _SECOND),
    "ប": ("b", _FIRST),
    "ផ": ("ph", _FIRST),
    "ព": ("p", _SECOND),
    "ភ": ("ph", _SECOND),
    "ម": ("m", _SECOND),
    "យ": ("y", _SECOND),
    "រ": ("r", _SECOND),
    "ល": ("l", _SECOND),
    "វ": ("v", _SECOND),
    "ឝ": ("s", _FIRST),
    "ឞ": ("s", _FIRST),
    "ស": ("s", _FIRST),
    "ហ": ("h", _FIRST),
    "ឡ": ("l", _FIRST),
    "អ": ("", _FIRST),
}

# Below another letter these take its series; any other gives it its own.
_PASSIVE = frozenset("ងញណនមយរលវ")

# Sign: after a letter of the first series, and of the second.
_VOWELS: dict[str, tuple[str, str]] = {
    "ា": ("a", "ea"),
    "ិ": ("e", "i"),
    "ី": ("ei", "i"),
    "ឹ": ("oe", "i"),
    "ឺ": ("eu", "eu"),
    "ុ": ("o", "u"),
    "ូ": ("au", "ou"),
    "ួ": ("uo", "uo"),
    "ើ": ("aeu", "eu"),
    "ឿ": ("oeu", "oeu"),
    "ៀ": ("ie", "ie"),
    "េ": ("e", "e"),
    "ែ": ("ae", "e"),
    "ៃ": ("ai", "ey"),
    "ោ": ("ao", "o"),
    "ៅ": ("au", "ov"),
}
_INHERENT = ("a", "o")
_NOT_READ_AT_END = "ិុ"

_INDEPENDENT: dict[str, str] = {
    "ឣ": "a",
    "ឤ": "a",
    "ឥ": "e",
    "ឦ": "ei",
    "ឧ": "u",
    "ឨ": "uk",
    "ឩ": "u",
    "ឪ": "ov",
    "ឫ": "ruk",
    "ឬ": "reu",
    "ឭ": "luk",
    "ឮ": "leu",
    "ឯ": "e",
    "ឰ": "ai",
    "ឱ": "ao",
    "ឲ": "ao",
    "ឳ": "au",
}

_BELOW = "្"  # coeng: the next letter is written below
_FIRST_SHIFT, _SECOND_SHIFT = "៉", "៊"
_NASAL = "ំ"
_BREATHED, _CUT_SHORT = "ះ", "ៈ"
_SHORT = "័"
_SILENT = "៍"

_KHMER = (0x1780, 0x17DD)


@dataclass
class _Unit:
    """A consonant with those below it, and the vowel that it carries."""

    onset: str
    series: int
    vowel: str | None = None
    """None: none is written."""
    end: str = ""
    """What a sign over it ends its syllable with."""
    silent: bool = False
    below: list[str] = field(default_factory=list)


def is_khmer(letter: str) -> bool:
    """Whether a character is a letter or a sign of Khmer script."""
    return _KHMER[0] <= ord(letter) <= _KHMER[1]


def in_latin(word: str) -> str:
    """A word of Khmer letters in Latin ones; what is none of Khmer's letters is left out."""
    return _spelt(_units(word))


def _units(word: str) -> list[_Unit]:
    units: list[_Unit] = []
    is_below = False
    for letter in _heard(word):
        unit = units[-1] if units else None
        if letter in _CONSONANTS:
            spelt, series = _CONSONANTS[letter]
            if is_below and unit is not None:
                unit.below.append(spelt)
                if letter not in _PASSIVE:
                    unit.series = series
            else:
                units.append(_Unit(spelt, series))
        elif letter in _INDEPENDENT:
            units.append(_Unit("", _FIRST, vowel=_INDEPENDENT[letter]))
        elif unit is not None:
            _add_sign(unit, letter)
        is_below = letter == _BELOW
    return [unit for unit in units if not unit.silent]


def _heard(word: str) -> str:
    """Without a short vowel at the end, which is written after the last consonant and not read."""
    return word[:-1] if len(word) > 3 and word[-1] in _NOT_READ_AT_END else word


def _add_sign(unit: _Unit, sign: str) -> None:
    if sign in _VOWELS:
        unit.vowel = _VOWELS[sign][unit.series]
    elif sign == _FIRST_SHIFT:
        unit.series = _FIRST
        # The letter that is read b is read p under this sign.
        unit.onset = "p" if unit.onset == "b" else unit.onset
    elif sign == _SECOND_SHIFT:
        unit.series = _SECOND
    elif sign == _NASAL:
        unit.vowel = unit.vowel or ("a", "u")[unit.series]
        unit.end = "m"
    elif sign == _BREATHED:
        unit.vowel = unit.vowel or ("a", "ea")[unit.series]
        unit.end = "h"
    elif sign == _CUT_SHORT:
        unit.vowel, unit.end = "a", "k"
    elif sign == _SHORT:
        unit.vowel = "a"
    elif sign == _SILENT:
        unit.silent = True


def _spelt(units: Sequence[_Unit]) -> str:
    """From the end on: a consonant without a vowel ends the syllable before it, if there is one
    that it can end, and carries the inherent vowel if there is none."""
    spelt: list[str] = []
    closes = False
    """Whether what was read last is a consonant that needs a vowel before it."""
    for place in range(len(units) - 1, -1, -1):
        unit = units[place]
        onset = unit.onset + "".join(unit.below)
        if unit.vowel is not None:
            spelt.append(onset + unit.vowel + unit.end)
            closes = False
        elif closes or place == 0 or _needs_vowel(units, place):
            spelt.append(onset + _INHERENT[unit.series])
            closes = False
        else:
            # Of what a syllable ends with, the letters below are not read.
            spelt.append(unit.onset if place == len(units) - 1 else onset)
            closes = True
    return "".join(reversed(spelt))


def _needs_vowel(units: Sequence[_Unit], place: int) -> bool:
    """Whether a consonant begins a syllable: with another below it and more behind, it does."""
    return bool(units[place].below) and place < len(units) - 1
