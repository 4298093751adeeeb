"""The words of a person's name as they are compared: Latin letters, no titles, no marks. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, groupby

from services.registry.names.khmer import in_latin, is_khmer

MAXIMUM_CHARACTERS = 200
"""Of a name, no more is looked at: the registry holds none that is longer."""
MAXIMUM_WORDS = 8
_MAXIMUM_LETTERS = 40

# Forms of address, in both scripts; without them what is left is still a name.
TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mme", "dr", "he", "lok", "lokchumteav", "neak", "oknha", "samdech"}
)
TITLES_IN_KHMER = (
    "លោកជំទាវ",
    "លោកស្រី",
    "លោក",
    "អ្នកស្រី",
    "អ្នកនាង",
    "កញ្ញា",
    "ឧកញ៉ា",
    "ឯកឧត្តម",
    "សម្តេច",
)
_LETTERS = re.compile("[a-z]+")
_APOSTROPHES = re.compile("['`´‘’ʼ]")


def words_of(name: str) -> tuple[str, ...]:
    """The words in small letters from a to z, in their order; none where nothing can be read.

    What is of another script than Latin and Khmer is left out.
    """
    if len(name) <= MAXIMUM_CHARACTERS and unicodedata.is_normalized("NFKC", name):
        # Nothing of a name reaches over a blank, and the parts of most were there before.
        words = list(chain.from_iterable(map(_words, name.split(" "))))
    else:
        words = _words_of_any(name)
    return tuple(_without_titles(words[:MAXIMUM_WORDS]))


@lru_cache(maxsize=20_000)
def _words(part: str) -> tuple[str, ...]:
    return tuple(_words_of_any(part))


def _words_of_any(name: str) -> list[str]:
    kept = unicodedata.normalize("NFKC", name[: 4 * MAXIMUM_CHARACTERS])[:MAXIMUM_CHARACTERS]
    visible = "".join(letter for letter in kept if unicodedata.category(letter) != "Cf")
    # Of a sound with an apostrophe, as of one with a mark, the letter stays.
    joined = _APOSTROPHES.sub("", visible)
    return [
        word
        for khmer, letters in groupby(joined, key=is_khmer)
        for word in (_khmer if khmer else _latin)("".join(letters))
    ]


def _latin(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _in_letters(bare)


def _in_letters(text: str) -> list[str]:
    return [word[:_MAXIMUM_LETTERS] for word in _LETTERS.findall(text)]


# Of words, which many share.
@lru_cache(maxsize=20_000)
def _khmer(text: str) -> Sequence[str]:
    for title in TITLES_IN_KHMER:
        if text == title:
            return []
        if text.startswith(title):
            text = text.removeprefix(title)
            break
    word = in_latin(text)[:_MAXIMUM_LETTERS]
    return [word] if word else []


def _without_titles(words: list[str]) -> list[str]:
    if TITLES.isdisjoint(words):
        return words
    return [word for word in words if word not in TITLES] or words
