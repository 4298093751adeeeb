"""Which field a column's heading means, in English or Khmer, however it is typed."""

from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

from services.registry.households.fields import Field
from services.registry.imports.mapping.text import word_of

_SIMILAR = 88
"""Of 100: a slip of the pen, a plural, an article."""


class Headings:
    """The headings by which the fields of one kind of file are known."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._headers = {field.header: field for field in fields}
        self._known: dict[str, Field] = {}
        for field in fields:
            self._known.setdefault(word_of(field.header), field)
        called: dict[str, list[Field]] = {}
        for field in fields:
            for heading in _called(field):
                named = called.setdefault(word_of(heading), [])
                named += [] if field in named else [field]
        self._shared = {word: named for word, named in called.items() if len(named) > 1}
        for field in fields:
            for heading in (*_called(field), field.name):
                self._known.setdefault(word_of(heading), field)
        # What templates call a field is that field, whatever else could be called so.
        for heading, field in zip(headings_of(fields), fields, strict=True):
            self._shared.pop(word_of(heading), None)
            self._known[word_of(heading)] = field

    def exactly(self, heading: str) -> Field | None:
        """The field that a heading names."""
        return self._headers.get(heading) or self._known.get(word_of(heading))

    def shared(self, heading: str) -> Sequence[Field]:
        """The fields that people call so, where it may be one or another: a phone in a row of a
        member may be theirs, or the household's. A template's heading is of one field."""
        if heading in self._headers:
            return ()
        return self._shared.get(word_of(heading), ())

    def similar(self, heading: str) -> Field | None:
        """The field that a heading may name with a slip of the pen: for a person to confirm."""
        word = word_of(heading)
        if len(word) < 4:
            return None
        found = process.extractOne(
            word, list(self._known), scorer=fuzz.ratio, score_cutoff=_SIMILAR
        )
        return None if found is None else self._known[found[0]]

    def count(self, cells: Iterable[str]) -> int:
        """How many of a row's cells name a field each."""
        return len({field.header for cell in cells if (field := self.exactly(cell))})


def headings_of(fields: Sequence[Field]) -> list[str]:
    """The fields' headings in both languages, as templates have them; no two are the same."""
    headings: dict[str, Field] = {}
    for field in fields:
        words = field.words
        heading = f"{words.english} ({words.khmer})"
        if heading in headings:
            heading = f"{words.english} of the household ({words.khmer} គ្រួសារ)"
        headings[heading] = field
    return list(headings)


def _called(field: Field) -> list[str]:
    english, khmer = field.words.english, field.words.khmer
    return [
        english,
        khmer,
        f"{english} {khmer}",
        f"{khmer} {english}",
        *filter(None, field.also.split(", ")),
    ]
