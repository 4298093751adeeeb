"""What spellings of one Cambodian name share, in Latin letters. Pure.

Common variants, each of which stands for one sound: Sok, Sokh; Chhay, Chay; Ouk, Uk; Keo, Kev,
Kaev; Pich, Pech; Vibol, Wibol; Sovann, Sovan; Ly, Li, Lee; Dara, Tara. A spelling is turned into a
code of consonants and five kinds of vowels; names are compared by their codes.
"""

import re
from typing import NamedTuple

# In this order: the longer spelling first.
_CONSONANTS = (
    ("chh", "c"),
    ("ch", "c"),
    ("kh", "k"),
    ("gh", "k"),
    ("ph", "p"),
    ("bh", "p"),
    ("th", "t"),
    ("dh", "t"),
    ("nh", "n"),
    ("gn", "n"),
    ("ng", "g"),
    ("sh", "s"),
    ("ck", "k"),
    ("qu", "k"),
)
_SINGLE = str.maketrans(
    {"b": "p", "d": "t", "f": "p", "j": "c", "q": "k", "w": "v", "x": "s", "z": "s"}
)
_GROUP = re.compile(r"[aeiou]+v?(?![aeiouyY])|[aeiou]+|y")
VOWELS = frozenset("aiowy")
"""The kinds of vowels in a code."""

# Kinds of vowels: what is written for one sound is of one kind.
_KINDS = {
    "a": "a aa ah ea eaa ia oa",
    "i": "e i ee ie ei y oe eu ae aeu oeu ue eae",
    "o": "o u ou oo uo au ao uu ua av ov uv eav",
    "w": "eo ev aev iv eov eao aeo iev eou eau",
    "y": "ai aai oi ui uoi oui",
}
_KIND_OF = {spelling: kind for kind, several in _KINDS.items() for spelling in several.split()}


class Sound(NamedTuple):
    """How a name sounds, in codes."""

    code: str
    """Consonants and vowels."""
    frame: str
    """The consonants alone; what it begins with counts as one."""


def sound_of(word: str) -> Sound:
    """The sound of a word of small Latin letters."""
    spelt = word
    for written, sound in _CONSONANTS:
        # Capitals are done with: they are no letters of the rules that follow.
        spelt = spelt.replace(written, sound.upper())
    spelt = spelt.lower().translate(_SINGLE)
    # A y before a vowel is a consonant, any other a vowel.
    spelt = re.sub(r"y(?=[aeiou])", "Y", spelt).replace("nY", "n")
    spelt = re.sub(r"(?<=[^aeiouy])h|(?<=[aeiouy])h$", "", spelt)
    spelt = re.sub(r"(?<=[aeiou])y", "i", spelt)
    # At the end of a syllable nobody hears it.
    spelt = re.sub(r"(?<=.)r(?![aeiouyY])", "", spelt)
    spelt = re.sub(r"([^aeiou])\1+", r"\1", spelt)
    code = _GROUP.sub(_kind_of, spelt).lower()
    frame = code[:1] + "".join(letter for letter in code[1:] if letter not in VOWELS)
    return Sound(code, frame)


def _kind_of(found: re.Match[str]) -> str:
    group = found.group()
    if group in _KIND_OF:
        return _KIND_OF[group]
    if group.endswith("v"):
        return _KIND_OF.get(group[:-1], _KIND_OF[group[0]]) + "v"
    return _KIND_OF[group[0]]
