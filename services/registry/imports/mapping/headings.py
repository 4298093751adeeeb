"""Which field a column's heading means, in English or Khmer, however it is typed."""

from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process

from services.registry.households.fields import Field
from services.registry.imports.mapping.text import word_of

_SIMILAR = 88
"""Of 100: a slip of the pen, a plural, an article."""

# What people head their columns with, beside the words of the fields themselves.
_ALSO: Mapping[str, str] = {
    "registration_number": "registration no, registration id, household id, household number, "
    "household code, hh id, hhid, idpoor id, idpoor number, equity card, equity card number, "
    "card number, លេខគ្រួសារ, លេខកូដគ្រួសារ, លេខប័ណ្ណសមធម៌, លេខប័ណ្ណ, លេខកូដប័ណ្ណសមធម៌",
    "commune_code": "commune, commune id, commune code ncdd, area code, commune sangkat code, "
    "លេខកូដឃុំ, កូដឃុំ, លេខកូដឃុំ សង្កាត់, ឃុំ សង្កាត់",
    "poverty_status": "poverty level, poverty category, idpoor status, idpoor level, poor level, "
    "poverty, ប្រភេទក្រីក្រ, ចំណាត់ថ្នាក់ក្រីក្រ, កម្រិត ក្រីក្រ, ប្រភេទគ្រួសារ",
    "members": "household size, hh size, number of members, total members, family size, "
    "household members, ចំនួនសមាជិក, ចំនួនមនុស្ស, សមាជិកសរុប",
    "children_0_5": "children, children 0 5, children under 6, children aged 0 5, "
    "កុមារ ០ ៥ ឆ្នាំ, កុមារអាយុ ០ ៥, ចំនួនកុមារ",
    "pregnant": "pregnant women, number pregnant, ចំនួនស្ត្រីមានផ្ទៃពោះ, មានផ្ទៃពោះ",
    "disabled": "disability, persons with disability, people with disabilities, pwd, "
    "disabled members, ពិការ, ចំនួនជនមានពិការភាព",
    "elderly_60": "elderly, elderly 60, elderly 60+, older persons, aged 60, មនុស្សចាស់, "
    "ចំនួនមនុស្សចាស់, ចាស់ជរា",
    "head_name": "head of household, household head, name of head, hh head, head, "
    "name of household head, ឈ្មោះមេគ្រួសារ, មេគ្រួសារ, ឈ្មោះ មេគ្រួសារ",
    "phone": "phone number, telephone, tel, mobile, mobile number, contact, "
    "លេខទូរស័ព្ទ, ទូរស័ព្ទ, ទូរសព្ទ, លេខទូរសព្ទ",
    "id_number": "national id, id card, id card number, national id number, nid, "
    "លេខអត្តសញ្ញាណប័ណ្ណ, អត្តសញ្ញាណប័ណ្ណ, លេខអត្តសញ្ញាណ",
    "provider_code": "provider, bank, payment provider code, wallet provider, "
    "ធនាគារ, អ្នកផ្តល់សេវា, អ្នកផ្ដល់សេវា",
    "account": "account number, wallet, wallet number, bank account, គណនី, លេខគណនី",
    "member_number": "member no, member id, line number, person number, លេខសមាជិក, លេខរៀង",
    "relationship": "relation, relationship to head, relation to head, ទំនាក់ទំនង, ត្រូវជាមេគ្រួសារ",
    "sex": "gender, ភេទ",
    "birth_date": "date of birth, dob, birthday, birth date, born on, ថ្ងៃខែឆ្នាំកំណើត, ថ្ងៃកំណើត",
    "disability": "disabled, has disability, ពិការភាព, ពិការ",
    "pregnancy_due_on": "due date, expected delivery, expected delivery date, edd, "
    "ថ្ងៃសម្រាល, ថ្ងៃគ្រប់ខែ",
    "schooling": "school, school level, education, កម្រិតវប្បធម៌, ថ្នាក់រៀន",
    "programmes": "programs, programme, program, កម្មវិធី",
    "member_name": "name, full name, member, name of member, ឈ្មោះសមាជិក, ឈ្មោះ, គោត្តនាម និងនាម",
    "member_phone": "phone of member, លេខទូរស័ព្ទសមាជិក",
    "member_id_number": "id number of member, លេខអត្តសញ្ញាណប័ណ្ណសមាជិក",
    "member_reference": "person reference, national reference, individual id",
}


class Headings:
    """The headings by which the fields of one kind of file are known."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._known: dict[str, Field] = {}
        for field in fields:
            self._known.setdefault(word_of(field.header), field)
        for field in fields:
            for heading in _headings_of(field):
                self._known.setdefault(word_of(heading), field)
        # What templates call a field is that field, whatever else could be called so.
        for heading, field in zip(headings_of(fields), fields, strict=True):
            self._known[word_of(heading)] = field

    def exactly(self, heading: str) -> Field | None:
        """The field that a heading names."""
        return self._known.get(word_of(heading))

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


def _headings_of(field: Field) -> list[str]:
    english, khmer = field.words.english, field.words.khmer
    return [
        field.header,
        field.name,
        english,
        khmer,
        f"{english} {khmer}",
        f"{khmer} {english}",
        *filter(None, _ALSO.get(field.header, "").split(", ")),
    ]
