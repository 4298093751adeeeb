"""Text as people type it, before anything is looked for in it."""

import re

_KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u3000": " ", "\t": " "})
_NO_LETTER = re.compile(r"[^\w\u1780-\u17d3]+")


def western(text: str) -> str:
    """With the digits 0 to 9 in place of ០ to ៩, and without what cannot be seen."""
    if not text.isascii():
        text = text.translate(_KHMER_DIGITS).translate(_UNSEEN).translate(_SPACES)
    return text.strip()


def word_of(text: str) -> str:
    """What two ways to write one word have in common: no case, no signs between its letters."""
    return _NO_LETTER.sub(" ", western(text).casefold().replace("_", " ")).strip()
