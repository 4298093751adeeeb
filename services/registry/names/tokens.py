"""What names are found by before they are compared: texts, to be hashed by whoever holds the key.

A name is kept under its words as they are written, in any order, and under the consonants of each
of its words, of each two words, and of the whole. Who searches asks for the same, and for every
text that is one consonant away, so that spellings, the order of words, blanks between them and both
scripts lead to the same candidates; and whoever is called exactly so is among them, however many
sound alike. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, permutations

from services.registry.names.sounds import sound_of
from services.registry.names.words import words_of

_MOST_WORDS = 4
"""Of longer names, the first: as written, 4 words, 6 pairs and the whole are 12 texts."""
_LETTERS = "acghiklmnoprstvwy"
"""What codes of sounds are written with."""
_MOST_CHANGED = 8
"""Of a longer word no consonant is changed: the whole of it is asked for as it is."""


@lru_cache(maxsize=20_000)
def _frame(word: str) -> str:
    return sound_of(word).frame


def written_and_frames(name: str) -> tuple[str, tuple[str, ...]]:
    """What whoever is called exactly so is kept under, the words in Latin letters in any order; and
    the consonants of the words, from which follows all else that the name is kept under."""
    words = words_of(name)[:_MOST_WORDS]
    return "3 " + " ".join(sorted(words)), tuple(filter(None, map(_frame, words)))


def frames_of(name: str) -> tuple[str, ...]:
    """The consonants of a name's words."""
    return written_and_frames(name)[1]


def _pair(first: str, second: str) -> str:
    return "2 " + " ".join(sorted((first, second)))


def _whole(frames: Iterable[str]) -> str:
    return "0 " + "".join(frames)


def as_written(name: str) -> str:
    """What whoever is called exactly so is kept under."""
    return written_and_frames(name)[0]


def kept_under(frames: Sequence[str]) -> set[str]:
    """What a name with these consonants is kept under besides; nothing where it has no word that
    can be read."""
    return {
        *(f"1 {frame}" for frame in frames),
        *(_pair(*two) for two in combinations(frames, 2)),
        *([_whole(frames)] if frames else []),
    }


def searched_for(name: str) -> list[set[str]]:
    """What a name is searched for by, the nearest first: each is asked where those before it found
    too few."""
    frames = frames_of(name)
    if not frames:
        return []
    wholes = {_whole(order) for order in permutations(frames)}
    exactly = {as_written(name)}
    if len(frames) == 1:
        # Few are called so alone, and very many besides something else.
        alone, besides = wholes, {f"1 {frames[0]}"}
        return [exactly, alone, besides, {f"1 {near}" for near in _near(frames[0])}]
    pairs = list(combinations(frames, 2))
    return [
        exactly,
        {*(_pair(*two) for two in pairs), *wholes},
        {
            *(_pair(near, second) for first, second in pairs for near in _near(first)),
            *(_pair(first, near) for first, second in pairs for near in _near(second)),
        },
    ]


def _near(frame: str) -> Sequence[str]:
    return list(_one_away(frame)) if len(frame) <= _MOST_CHANGED else []


def _one_away(frame: str) -> Iterator[str]:
    for at in range(len(frame) + 1):
        before, behind = frame[:at], frame[at:]
        yield from (before + letter + behind for letter in _LETTERS)
        if behind:
            yield from (before + letter + behind[1:] for letter in _LETTERS)
            if len(frame) > 1:
                yield before + behind[1:]
