"""The words of choices as people write them, in English and Khmer, beside the choices themselves.

A word that could mean two of them is left out: the mapping of a file says it.
"""

from collections.abc import Mapping
from enum import StrEnum

from services.registry.households.fields import Choice, Field, YesNo
from services.registry.imports.mapping.text import word_of

YES, NO = "yes", "no"
_YES_NO: Mapping[str, str] = {
    YES: "y, true, 1, x, មាន, បាទ, ចាស, ពិត, ✓, ✔",
    NO: "n, false, 0, -, គ្មាន, ទេ, អត់, មិនមាន",
}
_ALSO: Mapping[str, Mapping[str, str]] = {
    "poverty_status": {
        "poor-1": "poor1, poor level 1, idpoor 1, id poor 1, very poor, ក្រ១, ក្រ ១, ក្រីក្រ១, "
        "ក្រីក្រ ១, ក្រីក្រកម្រិត១, ក្រីក្រកម្រិត ១, កម្រិតក្រីក្រ១",
        "poor-2": "poor2, poor level 2, idpoor 2, id poor 2, ក្រ២, ក្រ ២, ក្រីក្រ២, ក្រីក្រ ២, "
        "ក្រីក្រកម្រិត២, ក្រីក្រកម្រិត ២, កម្រិតក្រីក្រ២",
        "at-risk": "at risk, risk, near poor, ងាយរងគ្រោះ, ងាយរងហានិភ័យ, មានហានិភ័យ",
        "not-poor": "not poor, non poor, nonpoor, មិនក្រីក្រ, មិនក្រ",
    },
    "sex": {
        "female": "f, woman, girl, ស្រី, ស, នារី, ស្ត្រី",
        "male": "m, man, boy, ប្រុស, ប, បុរស",
    },
    "relationship": {
        "head": "head of household, household head, មេគ្រួសារ",
        "spouse": "husband, wife, partner, ប្តី, ប្ដី, ប្រពន្ធ, សហព័ទ្ធ, ប្តីប្រពន្ធ",
        "child": "son, daughter, កូន, កូនប្រុស, កូនស្រី",
        "parent": "father, mother, ឪពុក, ម្តាយ, ម្ដាយ, ឪពុកម្តាយ",
        "grandchild": "grandson, granddaughter, ចៅ",
        "sibling": "brother, sister, បង, ប្អូន, បងប្អូន",
        "other-relative": "other relative, relative, សាច់ញាតិ, ញាតិ, សាច់ញាតិផ្សេង",
        "non-relative": "non relative, not related, មិនមែនសាច់ញាតិ",
    },
    "schooling": {
        "none": "no school, not yet, មិនទាន់រៀន",
        "pre-school": "preschool, kindergarten, មត្តេយ្យ",
        "primary": "primary school, បឋម, បឋមសិក្សា",
        "lower-secondary": "lower secondary, អនុវិទ្យាល័យ",
        "upper-secondary": "upper secondary, high school, វិទ្យាល័យ",
        "higher": "university, college, សាកលវិទ្យាល័យ, ឧត្តមសិក្សា",
        "completed": "finished, បញ្ចប់",
        "out-of-school": "out of school, dropped out, drop out, ឈប់រៀន, បោះបង់",
    },
}


def meanings_of(field: Field) -> dict[str, str]:
    """What each word of a field that is one of a few means, by the word's plain form."""
    meanings: dict[str, str] = {}
    for choice, also in _choices_of(field).items():
        for word in (choice, *also.split(", ")):
            if plain := word_of(word) or word:
                meanings[plain] = choice
    return meanings


def choices_of(field: Field) -> tuple[str, ...]:
    """What such a field can be."""
    return tuple(_choices_of(field))


def _choices_of(field: Field) -> Mapping[str, str]:
    match field.kind:
        case Choice(choices, _):
            also = _ALSO.get(field.header, {})
            return {str(choice): also.get(choice, "") for choice in _listed(choices)}
        case YesNo():
            return _YES_NO
        case _:
            return {}


def _listed(choices: type[StrEnum]) -> list[StrEnum]:
    return list(choices)


def words_shown(field: Field) -> list[tuple[str, str]]:
    """Each choice of a field, and the words that are read as it besides."""
    return list(_choices_of(field).items())
