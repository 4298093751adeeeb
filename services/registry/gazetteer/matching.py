"""Areas found by what people write for their names, in either script. Pure.

What is written and what is known are brought to one form: small letters without marks or blanks,
Khmer signs in one order, words such as *commune* or ឃុំ left out. Names that are spelled otherwise
are compared by their sounds (``names``), in which *Kampong* is *Kompong* and *Phnum* is *Phnom*.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz, process

from services.registry.areas.tables import Level
from services.registry.names.khmer import in_latin, is_khmer
from services.registry.names.sounds import sound_of

MAXIMUM_CHARACTERS = 100
LEAST_LIKENESS = 72
"""Of 100; what is less alike is another name."""
_SAME, _BEGINS, _SOUNDS, _OTHERWISE = 100, 96, 94, 92

_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff]")
_UNITS_IN_LATIN = """
    province khett khaet khet district srok municipality krong khan commune khum sangkat quarter
    village phum capital city reach theani reachtheani of
"""
_UNITS = frozenset(_UNITS_IN_LATIN.split())
_UNITS_KM = re.compile("^(?:រាជធានី|ខេត្ត|ស្រុក|ក្រុង|ខណ្ឌ|ឃុំ|សង្កាត់|ភូមិ)+(?=.{2})")
_KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")

# In what order the signs of one cluster are written differs from keyboard to keyboard.
_COENG = "\u17d2"
_CLUSTER = re.compile("[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3\u17dd])*")
_SIGN = re.compile("\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3\u17dd]")


class Found(NamedTuple):
    """An area that a name may mean."""

    code: str
    likeness: int
    """Of 100."""


def khmer_form(text: str) -> str:
    """Khmer letters and digits of a text in one form: signs in one order, nothing invisible."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(_KHMER_DIGITS)
    # Two signs that together look like one that has a letter of its own.
    plain = plain.replace("\u17c1\u17b8", "\u17be").replace("\u17c1\u17b6", "\u17c4")
    kept = "".join(letter for letter in plain if is_khmer(letter) or letter.isdecimal())
    return _UNITS_KM.sub("", _CLUSTER.sub(_ordered, kept))


def _ordered(cluster: "re.Match[str]") -> str:
    written = cluster.group()
    signs = _SIGN.findall(written[1:])
    return written[0] + "".join(sorted(set(signs), key=lambda sign: (sign[0] != _COENG, sign)))


def latin_form(text: str) -> str:
    """Latin letters and digits of a text, small and without marks, blanks and kinds of areas."""
    return "".join(_latin_words(text))


def _latin_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_KHMER_DIGITS))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = re.findall("[a-z]+|[0-9]+", re.sub("['`´‘’ʼ]", "", bare))
    return [word for word in words if word not in _UNITS] or words


def sound_form(text: str) -> str:
    """How a text sounds, whichever script it is in; digits stay."""
    if any(map(is_khmer, text)):
        form = khmer_form(text)
        words = re.findall("[0-9]+|[^0-9]+", form)
        return "".join(word if word.isdigit() else _sound(in_latin(word)) for word in words)
    return "".join(word if word.isdigit() else _sound(word) for word in _latin_words(text))


@lru_cache(maxsize=20_000)
def _sound(word: str) -> str:
    return sound_of(word).code


class Named(NamedTuple):
    """An area as it is called."""

    code: str
    level: Level
    name_en: str
    name_km: str


@dataclass(frozen=True)
class _Forms:
    latin: list[str]
    khmer: list[str]
    sound: list[str]


class NameIndex:
    """The names of areas, ready to be searched; about 16,000 of them in a hundredth of a second."""

    def __init__(self, named: Iterable[Named]) -> None:
        self._named = sorted(named, key=lambda area: area.code)
        self._forms = _Forms(
            [latin_form(area.name_en) for area in self._named],
            [khmer_form(area.name_km) for area in self._named],
            [sound_form(area.name_en) for area in self._named],
        )

    def find(self, name: str, *, level: Level | None, within: str | None) -> list[Found]:
        """The areas that a name may mean, the most alike and the largest first."""
        written = name[:MAXIMUM_CHARACTERS]
        is_in_khmer = any(map(is_khmer, written))
        form = khmer_form(written) if is_in_khmer else latin_form(written)
        if not form:
            return []
        chosen = [
            at
            for at, area in enumerate(self._named)
            if (level is None or area.level is level)
            and (within is None or (area.code.startswith(within) and area.code != within))
        ]
        forms = self._forms.khmer if is_in_khmer else self._forms.latin
        likeness = _of_forms(form, forms, chosen)
        sound = sound_form(written)
        if sound:
            for at, likely in _of_sounds(sound, self._forms.sound, chosen).items():
                likeness[at] = max(likeness.get(at, 0), likely)
        found = [(self._named[at], likely) for at, likely in likeness.items()]
        found.sort(key=lambda each: (-each[1], len(each[0].code), each[0].code))
        return [Found(area.code, likely) for area, likely in found]


def _of_forms(form: str, forms: Sequence[str], chosen: Sequence[int]) -> dict[int, int]:
    likeness: dict[int, int] = {}
    for at in chosen:
        if forms[at] == form:
            likeness[at] = _SAME
        elif len(form) > 1 and forms[at].startswith(form):
            likeness[at] = _BEGINS - min(12, len(forms[at]) - len(form))
    among = {at: forms[at] for at in chosen if at not in likeness and forms[at]}
    for _, score, at in process.extract(
        form, among, scorer=fuzz.ratio, score_cutoff=LEAST_LIKENESS, limit=None
    ):
        likeness[at] = min(round(score), _OTHERWISE)
    return likeness


def _of_sounds(sound: str, sounds: Sequence[str], chosen: Sequence[int]) -> dict[int, int]:
    among = {at: sounds[at] for at in chosen if sounds[at]}
    likeness = {at: _SOUNDS for at, other in among.items() if other == sound and len(sound) > 1}
    for _, score, at in process.extract(
        sound, among, scorer=fuzz.ratio, score_cutoff=LEAST_LIKENESS + 6, limit=None
    ):
        # Less than by letters: other names share a sound.
        likeness.setdefault(at, max(0, round(score) - 6))
    return likeness
