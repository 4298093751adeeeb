"""A mapping proposed from a file's headings and some of its rows, and what it does not know.

Nothing is guessed: a column whose heading only resembles a field's, a word that is not known, days
that may be two and codes that lost their zeros are questions, which a person answers by a mapping.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.registry.households.fields import Commune, Field
from services.registry.households.shape import COMMUNE, POVERTY_STATUS
from services.registry.imports.faults import AMBIGUOUS_DAY, NO_WORD
from services.registry.imports.files.format import FileFormat
from services.registry.imports.mapping.document import (
    LONGEST_HEADING,
    OF_HOUSEHOLD,
    ColumnMapping,
    MappingDocument,
    RowsOf,
    fields_of,
)
from services.registry.imports.mapping.headings import Headings
from services.registry.imports.mapping.translating import Translator

_SHOWN_WORDS = 20
_SHOWN_CHARACTERS = 40
_COMMUNE_DIGITS = 6


class Asked(StrEnum):
    """What a mapping has to say before a file is read by it."""

    NO_COLUMN = "no-column"
    SIMILAR_HEADING = "similar-heading"
    SAME_HEADING = "same-heading"
    OF_WHOM = "of-whom"
    UNKNOWN_WORD = "unknown-word"
    DATE_ORDER = "date-order"
    ZEROS = "zeros"


@dataclass(frozen=True)
class Question:
    """Something that the mapping has to say."""

    about: Asked
    field: str
    heading: str | None
    words: tuple[str, ...] = ()
    """Words of the file that are not known, where the field is one of a few."""


@dataclass(frozen=True)
class Proposal:
    """A mapping, and what is open about it."""

    mapping: MappingDocument
    questions: list[Question] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Headings of columns that nothing is read from."""


def proposed(headings: Sequence[str], *, rows_of: RowsOf, sheet: str | None) -> Proposal:
    """The mapping that the headings suggest, and the headings that only resemble a field's."""
    known = Headings(fields_of(rows_of))
    columns: dict[str, ColumnMapping] = {}
    questions = []
    resembling = []
    for heading in dict.fromkeys(headings):
        exact = known.exactly(heading)
        if exact is None:
            resembling.append(heading)
            continue
        # A row is a person's: what else a column may be is asked about.
        shared = known.shared(heading)
        free = [each for each in shared or (exact,) if each.header not in columns]
        if not free:
            questions.append(Question(Asked.SAME_HEADING, exact.header, heading))
        elif 0 < len(heading) <= LONGEST_HEADING:
            columns[free[0].header] = ColumnMapping(heading=heading, field=free[0].header)
            if shared:
                questions.append(Question(Asked.OF_WHOM, free[0].header, heading))
    ignored = []
    for heading in resembling:
        similar = known.similar(heading)
        if similar is None or similar.header in columns or len(heading) > LONGEST_HEADING:
            ignored.append(heading)
            continue
        columns[similar.header] = ColumnMapping(heading=heading, field=similar.header)
        questions.append(Question(Asked.SIMILAR_HEADING, similar.header, heading))
    mapping = MappingDocument(rows_of=rows_of, sheet=sheet, columns=list(columns.values()))
    return Proposal(mapping, questions, [heading for heading in ignored if heading])


def open_questions(
    mapping: MappingDocument,
    *,
    headings: Sequence[str],
    sample: Sequence[Sequence[str]],
    format: FileFormat,
) -> list[Question]:
    """What a mapping leaves open of a file with these headings and rows."""
    heading_of = {column.field: column.heading for column in mapping.columns}
    defaults = {default.field for default in mapping.defaults}
    questions = []
    for known in fields_of(mapping.rows_of):
        has_column = known.header in heading_of
        if not has_column and known.header not in defaults and _is_needed(known, mapping):
            questions.append(Question(Asked.NO_COLUMN, known.header, None))
    translated = Translator(mapping, headings=headings, format=format).translate(sample)
    words: dict[str, dict[str, None]] = {}
    ambiguous = set()
    for (row, header), code in translated.codes.items():
        if code == NO_WORD:
            words.setdefault(header, {})[translated.cells[header][row]] = None
        elif code == AMBIGUOUS_DAY:
            ambiguous.add(header)
    for header, found in words.items():
        shown = [word for word in found if len(word) <= _SHOWN_CHARACTERS][:_SHOWN_WORDS]
        questions.append(Question(Asked.UNKNOWN_WORD, header, heading_of[header], tuple(shown)))
    questions += [
        Question(Asked.DATE_ORDER, header, heading_of[header]) for header in sorted(ambiguous)
    ]
    for column in mapping.columns:
        if column.digits is None and _lost_zeros(column, mapping, translated.cells[column.field]):
            questions.append(Question(Asked.ZEROS, column.field, column.heading))
    return questions


def _is_needed(known: Field, mapping: MappingDocument) -> bool:
    if mapping.rows_of is RowsOf.MEMBERS and known in OF_HOUSEHOLD:
        # The head's name is a member's, where it stands nowhere else.
        return mapping.says_households and known in (COMMUNE, POVERTY_STATUS)
    return not known.optional


def _lost_zeros(column: ColumnMapping, mapping: MappingDocument, cells: Sequence[str]) -> bool:
    """Whether codes of communes lack the zero in front that all of those below ten begin with."""
    kinds = {known.header: known.kind for known in fields_of(mapping.rows_of)}
    return isinstance(kinds[column.field], Commune) and any(
        cell.isdigit() and len(cell) == _COMMUNE_DIGITS - 1 for cell in cells
    )
