"""What is known of a household: each field, once.

From here follow the header of an import, how its rows are read and what is said of their faults,
the columns of ``household`` and ``enrolment``, what COPY stores, what rules and benefits may speak
of, the API's bodies and their documentation. To add a field, add it to ``SHAPE``, and its column
by a migration if it is kept open.

A count of members is a number in a file, and a column. Where each member is a row of its own
(``members/shape.py``), it is how many of them ``counts`` fits on the day that counts: what reads a
count asks ``members.statements``.
"""

from enum import StrEnum

from services.registry.households.fields import (
    Aged,
    BlindIndex,
    Choice,
    Code,
    Commune,
    Count,
    CountedMembers,
    Expecting,
    Field,
    Having,
    Kept,
    Name,
    Phone,
    Village,
    Words,
)

MAXIMUM_MEMBERS = 60
_MAXIMUM_NAME = 200


class PovertyStatus(StrEnum):
    """What IDPoor says of a household."""

    POOR_1 = "poor-1"
    POOR_2 = "poor-2"
    AT_RISK = "at-risk"
    NOT_POOR = "not-poor"


def _category(
    name: str,
    words: Words,
    *,
    also: str = "",
    counts: CountedMembers | None = None,
    example: int = 0,
    sensitive: bool = False,
) -> Field:
    """A count of some of the members, which rules may ask for and benefits pay for."""
    return Field(
        name=name,
        kind=Count(least=0, most=MAXIMUM_MEMBERS, within=MEMBERS.name),
        kept=Kept.OPEN,
        personal=False,
        sensitive=sensitive,
        words=words,
        also=also,
        write="a whole number from 0 to the number of members",
        example=example,
        in_rules=True,
        in_benefits=True,
        counts=counts,
    )


REGISTRATION_NUMBER = Field(
    name="registration_number",
    kind=Code(r"[0-9A-Za-z][0-9A-Za-z/-]{2,39}", longest=40, capital=True),
    kept=Kept.SEALED,
    sealed_at=3,
    found_by=BlindIndex("registration_index", unique=True),
    personal=True,
    words=Words("Registration number", "លេខចុះបញ្ជី"),
    also="registration no, registration id, household id, household number, "
    "household code, hh id, hhid, idpoor id, idpoor number, equity card, "
    "equity card number, card number, លេខគ្រួសារ, លេខកូដគ្រួសារ, "
    "លេខប័ណ្ណសមធម៌, លេខប័ណ្ណ, លេខកូដប័ណ្ណសមធម៌",
    write="3 to 40 letters, digits, hyphens or slashes",
    example="KH-010201-000001",
)
COMMUNE = Field(
    # Rules speak of it as of a place, with everything that is known of the place.
    name="area_code",
    header="commune_code",
    kind=Commune(),
    kept=Kept.OPEN,
    personal=False,
    words=Words("Commune, six digits", "កូដឃុំ/សង្កាត់"),
    also="commune, commune id, commune code ncdd, area code, commune sangkat code, "
    "លេខកូដឃុំ, កូដឃុំ, លេខកូដឃុំ សង្កាត់, ឃុំ សង្កាត់",
    write="the six digits of a commune of the gazetteer, leading zeros included",
    example="010201",
)
POVERTY_STATUS = Field(
    name="poverty_status",
    kind=Choice(PovertyStatus, "poverty_status"),
    kept=Kept.OPEN,
    personal=False,
    words=Words("Poverty status by IDPoor", "កម្រិតក្រីក្រ"),
    also="poverty level, poverty category, idpoor status, idpoor level, poor level, "
    "poverty, ប្រភេទក្រីក្រ, ចំណាត់ថ្នាក់ក្រីក្រ, កម្រិត ក្រីក្រ, ប្រភេទគ្រួសារ",
    write=f"one of {', '.join(PovertyStatus)}",
    example=PovertyStatus.POOR_1,
    in_rules=True,
)
MEMBERS = Field(
    name="members",
    kind=Count(least=1, most=MAXIMUM_MEMBERS),
    kept=Kept.OPEN,
    personal=False,
    words=Words("Members of the household", "ចំនួនសមាជិកគ្រួសារ"),
    also="household size, hh size, number of members, total members, family size, "
    "household members, ចំនួនសមាជិក, ចំនួនមនុស្ស, សមាជិកសរុប",
    write=f"a whole number from 1 to {MAXIMUM_MEMBERS}",
    example=5,
    in_rules=True,
)
CHILDREN = _category(
    "children_0_5",
    Words("Members aged 0 to 5", "កុមារអាយុ ០ ដល់ ៥ ឆ្នាំ"),
    counts=Aged(below=6),
    example=1,
    also="children, children 0 5, children under 6, children aged 0 5, កុមារ ០ ៥ "
    "ឆ្នាំ, កុមារអាយុ ០ ៥, ចំនួនកុមារ",
)
PREGNANT = _category(
    "pregnant",
    Words("Pregnant members", "ស្ត្រីមានផ្ទៃពោះ"),
    counts=Expecting("pregnancy_due_on", within_days=300),
    sensitive=True,
    also="pregnant women, number pregnant, ចំនួនស្ត្រីមានផ្ទៃពោះ, មានផ្ទៃពោះ",
)
DISABLED = _category(
    "disabled",
    Words("Members with a disability", "ជនមានពិការភាព"),
    counts=Having("disability"),
    sensitive=True,
    also="disability, persons with disability, people with disabilities, pwd, "
    "disabled members, ពិការ, ចំនួនជនមានពិការភាព",
)
ELDERLY = _category(
    "elderly_60",
    Words("Members aged 60 or older", "មនុស្សចាស់អាយុ ៦០ ឆ្នាំឡើងទៅ"),
    counts=Aged(least=60),
    example=1,
    also="elderly, elderly 60, elderly 60+, older persons, aged 60, មនុស្សចាស់, ចំនួនមនុស្សចាស់, ចាស់ជរា",
)
HEAD_NAME = Field(
    name="name",
    header="head_name",
    kind=Name(longest=_MAXIMUM_NAME),
    kept=Kept.SEALED,
    sealed_at=0,
    personal=True,
    words=Words("Name of the head of the household", "ឈ្មោះមេគ្រួសារ"),
    also="head of household, household head, name of head, hh head, head, name of "
    "household head, ឈ្មោះមេគ្រួសារ, មេគ្រួសារ, ឈ្មោះ មេគ្រួសារ",
    write=f"1 to {_MAXIMUM_NAME} characters in UTF-8, on one line, without control characters",
    example="Sok Chanthy",
)
PHONE = Field(
    name="phone",
    kind=Phone(),
    kept=Kept.SEALED,
    sealed_at=1,
    found_by=BlindIndex("phone_index"),
    personal=True,
    optional=True,
    words=Words("Phone", "លេខទូរសព្ទ"),
    also="phone number, telephone, tel, mobile, mobile number, contact, "
    "លេខទូរស័ព្ទ, ទូរស័ព្ទ, ទូរសព្ទ, លេខទូរសព្ទ",
    write="a Cambodian number as +855 or 0 and 8 to 9 digits",
    example="+85512345678",
)
ID_NUMBER = Field(
    name="id_number",
    kind=Code(r"[0-9A-Za-z][0-9A-Za-z()/-]{3,29}", longest=30, capital=True),
    kept=Kept.SEALED,
    sealed_at=2,
    found_by=BlindIndex("id_number_index"),
    personal=True,
    optional=True,
    words=Words("ID number", "លេខអត្តសញ្ញាណប័ណ្ណ"),
    also="national id, id card, id card number, national id number, nid, "
    "លេខអត្តសញ្ញាណប័ណ្ណ, អត្តសញ្ញាណប័ណ្ណ, លេខអត្តសញ្ញាណ",
    write="4 to 30 letters, digits or hyphens",
    example="010203045",
)
PROVIDER = Field(
    name="provider_code",
    kind=Code(r"[a-z0-9-]{2,32}", longest=32),
    kept=Kept.ACCOUNT,
    personal=False,
    optional=True,
    words=Words("Payment provider", "កូដអ្នកផ្តល់សេវាទូទាត់"),
    also="provider, bank, payment provider code, wallet provider, ធនាគារ, អ្នកផ្តល់សេវា, អ្នកផ្ដល់សេវា",
    write="the provider's code in small letters, digits and hyphens",
    example="mekong",
)
ACCOUNT = Field(
    name="account",
    kind=Code(r"\+?[0-9A-Za-z-]{4,34}", longest=35),
    kept=Kept.ACCOUNT,
    found_by=BlindIndex("account_index"),
    personal=True,
    optional=True,
    words=Words("Account at the provider", "លេខគណនី"),
    also="account number, wallet, wallet number, bank account, គណនី, លេខគណនី",
    write="4 to 34 letters, digits or hyphens",
    example="+85512345678",
)

VILLAGE = Field(
    name="village_code",
    kind=Village(within=COMMUNE.name),
    kept=Kept.OPEN,
    personal=False,
    optional=True,
    words=Words("Village, eight digits", "កូដភូមិ"),
    write="the eight digits of a village of this commune, leading zeros included",
    example="01020101",
    in_rules=True,
)

SHAPE: tuple[Field, ...] = (
    REGISTRATION_NUMBER,
    COMMUNE,
    POVERTY_STATUS,
    MEMBERS,
    CHILDREN,
    PREGNANT,
    DISABLED,
    ELDERLY,
    HEAD_NAME,
    PHONE,
    ID_NUMBER,
    PROVIDER,
    ACCOUNT,
    VILLAGE,
)
"""Every field, in the order of a file's columns."""

HEADERS = tuple(field.header for field in SHAPE)
HEADERS_BEFORE_VILLAGES = HEADERS[:-1]
"""Of files that were made before a household had a village, and are read as they were."""
OPEN = tuple(field for field in SHAPE if field.kept is Kept.OPEN)
SEALED = tuple(
    sorted(
        (field for field in SHAPE if field.sealed_at is not None),
        key=lambda field: field.sealed_at or 0,
    )
)
"""The head of the household, in the order in which it is sealed."""
FOUND = tuple(field for field in SHAPE if field.found_by is not None)
CATEGORIES = tuple(field for field in SHAPE if field.in_benefits)
COUNTED = (MEMBERS, *CATEGORIES)
"""What an amount is worked out from: an enrolment keeps it as it was then."""
ASKED_ABOUT = tuple(field for field in OPEN if field.in_rules)
"""What a rule may ask about a household: an enrolment keeps it as well, to say why."""
