"""What is known of a member of a household: each field, once, beside ``households/shape.py``.

From here follow the columns of ``member``, what of them is sealed and how it is found again, what
rules may ask about members, the API's bodies and what a file of members says. A member is known by
the registration number of the household and the ``member_number`` within it: the same two in a
later file are the same person.

How old somebody is, and whether she is pregnant, is asked of a day, and so is no field: it follows
from ``birth_date`` and ``pregnancy_due_on``.
"""

from datetime import date
from enum import StrEnum

from services.registry.households import shape as household
from services.registry.households.fields import (
    BlindIndex,
    Choice,
    Code,
    Codes,
    Count,
    Day,
    Field,
    Kept,
    Words,
    YesNo,
)

MAXIMUM_MEMBER_NUMBER = 999
"""Numbers are not given again: those of the dead and of who moved away stay theirs."""
MAXIMUM_PROGRAMMES = 20
PROGRAMME_CODE = r"[a-z][a-z0-9-]{1,39}"
_EARLIEST_BIRTH, _LATEST_DAY = date(1880, 1, 1), date(2199, 12, 31)


class Relationship(StrEnum):
    """What a member is to the head of the household."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    GRANDCHILD = "grandchild"
    SIBLING = "sibling"
    OTHER_RELATIVE = "other-relative"
    NON_RELATIVE = "non-relative"


class Sex(StrEnum):
    """As the source registered it."""

    FEMALE = "female"
    MALE = "male"


class Schooling(StrEnum):
    """The level of schooling that somebody attends now, or that there is none (any more)."""

    NONE = "none"
    PRE_SCHOOL = "pre-school"
    PRIMARY = "primary"
    LOWER_SECONDARY = "lower-secondary"
    UPPER_SECONDARY = "upper-secondary"
    HIGHER = "higher"
    COMPLETED = "completed"
    OUT_OF_SCHOOL = "out-of-school"


def _one_of(choices: type[StrEnum]) -> str:
    return f"one of {', '.join(choices)}"


MEMBER_NUMBER = Field(
    name="member_number",
    kind=Count(least=1, most=MAXIMUM_MEMBER_NUMBER),
    kept=Kept.OPEN,
    personal=False,
    words=Words("Number of the member within the household", "លេខរៀងសមាជិក"),
    also="member no, member id, line number, person number, លេខសមាជិក, លេខរៀង",
    write=f"a whole number from 1 to {MAXIMUM_MEMBER_NUMBER}, the same in every file",
    example=1,
)
RELATIONSHIP = Field(
    name="relationship",
    kind=Choice(Relationship, "relationship"),
    kept=Kept.OPEN,
    personal=False,
    words=Words("Relationship to the head", "ត្រូវជាអ្វីនឹងមេគ្រួសារ"),
    also="relation, relationship to head, relation to head, ទំនាក់ទំនង, ត្រូវជាមេគ្រួសារ",
    write=_one_of(Relationship),
    example=Relationship.HEAD,
    in_rules=True,
)
SEX = Field(
    name="sex",
    kind=Choice(Sex, "sex"),
    kept=Kept.OPEN,
    personal=False,
    words=Words("Sex", "ភេទ"),
    also="gender, ភេទ",
    write=_one_of(Sex),
    example=Sex.FEMALE,
    in_rules=True,
)
BIRTH_DATE = Field(
    name="birth_date",
    kind=Day(_EARLIEST_BIRTH, _LATEST_DAY),
    kept=Kept.OPEN,
    personal=True,
    optional=True,
    words=Words("Date of birth", "ថ្ងៃខែឆ្នាំកំណើត"),
    also="date of birth, dob, birthday, birth date, born on, ថ្ងៃខែឆ្នាំកំណើត, ថ្ងៃកំណើត",
    write=f"a day from {_EARLIEST_BIRTH} on, as 1986-04-13: year, month and day",
    example=date(1986, 4, 13),
)
DISABILITY = Field(
    name="disability",
    kind=YesNo(),
    kept=Kept.OPEN,
    personal=False,
    sensitive=True,
    words=Words("Has a disability", "មានពិការភាព"),
    also="disabled, has disability, ពិការភាព, ពិការ",
    write="yes or no",
    example=False,
    in_rules=True,
)
PREGNANCY_DUE_ON = Field(
    name="pregnancy_due_on",
    kind=Day(_EARLIEST_BIRTH, _LATEST_DAY),
    kept=Kept.OPEN,
    personal=False,
    sensitive=True,
    optional=True,
    words=Words("Pregnant: the day when the birth is due", "ថ្ងៃគ្រប់ខែសម្រាល"),
    also="due date, expected delivery, expected delivery date, edd, ថ្ងៃសម្រាល, ថ្ងៃគ្រប់ខែ",
    write="a day as 2026-04-13, for who is pregnant",
    example=None,
)
SCHOOLING = Field(
    name="schooling",
    kind=Choice(Schooling, "schooling"),
    kept=Kept.OPEN,
    personal=False,
    optional=True,
    words=Words("School attended now", "កម្រិតសិក្សា"),
    also="school, school level, education, កម្រិតវប្បធម៌, ថ្នាក់រៀន",
    write=_one_of(Schooling),
    example=Schooling.COMPLETED,
    in_rules=True,
)
PROGRAMMES = Field(
    name="programmes",
    kind=Codes(PROGRAMME_CODE, longest=40, most=MAXIMUM_PROGRAMMES),
    kept=Kept.APART,
    personal=False,
    sensitive=True,
    optional=True,
    words=Words("Routine programmes", "កម្មវិធីឧបត្ថម្ភប្រចាំ"),
    also="programs, programme, program, កម្មវិធី",
    write="the codes of programmes with a semicolon between them",
    example=["covid-cash"],
    in_rules=True,
)
NAME = Field(
    name="name",
    header="member_name",
    kind=household.HEAD_NAME.kind,
    kept=Kept.SEALED,
    sealed_at=0,
    personal=True,
    words=Words("Name", "ឈ្មោះ"),
    also="name, full name, member, name of member, ឈ្មោះសមាជិក, ឈ្មោះ, គោត្តនាម និងនាម",
    write=household.HEAD_NAME.write,
    example="Sok Chanthy",
)
PHONE = Field(
    name="phone",
    header="member_phone",
    kind=household.PHONE.kind,
    kept=Kept.SEALED,
    sealed_at=1,
    found_by=BlindIndex("phone_index"),
    personal=True,
    optional=True,
    words=household.PHONE.words,
    also=f"{household.PHONE.also}, phone of member, លេខទូរស័ព្ទសមាជិក",
    write=household.PHONE.write,
    example=household.PHONE.example,
)
ID_NUMBER = Field(
    name="id_number",
    header="member_id_number",
    kind=household.ID_NUMBER.kind,
    kept=Kept.SEALED,
    sealed_at=2,
    found_by=BlindIndex("id_number_index"),
    personal=True,
    optional=True,
    words=household.ID_NUMBER.words,
    also=f"{household.ID_NUMBER.also}, id number of member, លេខអត្តសញ្ញាណប័ណ្ណសមាជិក",
    write=household.ID_NUMBER.write,
    example=household.ID_NUMBER.example,
)
REFERENCE = Field(
    name="reference",
    header="member_reference",
    kind=Code(r"[0-9A-Za-z][0-9A-Za-z/-]{2,39}", longest=40, capital=True),
    kept=Kept.SEALED,
    sealed_at=3,
    found_by=BlindIndex("reference_index"),
    personal=True,
    optional=True,
    words=Words("National reference of the person", "លេខយោងជាតិរបស់សមាជិក"),
    also="person reference, national reference, individual id",
    write="3 to 40 letters, digits, hyphens or slashes",
    example="IDP-010201-000001-01",
)

MEMBER_SHAPE: tuple[Field, ...] = (
    MEMBER_NUMBER,
    RELATIONSHIP,
    SEX,
    BIRTH_DATE,
    DISABILITY,
    PREGNANCY_DUE_ON,
    SCHOOLING,
    PROGRAMMES,
    NAME,
    PHONE,
    ID_NUMBER,
    REFERENCE,
)
"""Every field, in the order of a file's columns."""

OPEN = tuple(field for field in MEMBER_SHAPE if field.kept is Kept.OPEN)
SEALED = tuple(
    sorted(
        (field for field in MEMBER_SHAPE if field.sealed_at is not None),
        key=lambda field: field.sealed_at or 0,
    )
)
"""The person, in the order in which they are sealed."""
FOUND = tuple(field for field in MEMBER_SHAPE if field.found_by is not None)
