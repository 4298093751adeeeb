"""A mapping: proposed by headings and rows, asked about where in doubt, and then followed."""

import re
from datetime import date, timedelta
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.registry.households.persons import PersonalData
from services.registry.households.shape import PHONE, SHAPE
from services.registry.imports.faults import QUOTE_OPEN, ROW, WRONG, remedy_of
from services.registry.imports.files.format import FileFormat
from services.registry.imports.mapping.days import (
    AMBIGUOUS,
    MONTHS,
    Calendar,
    DateOrder,
    Era,
)
from services.registry.imports.mapping.document import (
    MEMBER_FILE,
    MappingDocument,
    RowsOf,
    fields_of,
)
from services.registry.imports.mapping.headings import headings_of
from services.registry.imports.mapping.phones import is_mobile, phone_of
from services.registry.imports.mapping.proposing import Asked, open_questions, proposed
from services.registry.imports.mapping.translating import Translator
from services.registry.imports.members import MemberReader
from services.registry.imports.reading import Reader
from services.registry.imports.remedies import remedy_in_khmer
from services.registry.members.shape import MEMBER_SHAPE
from services.registry.providers.remedy import remedy
from shared.personal_data import BlindIndex, Cipher

ORDERS = ("{d:02}/{m:02}/{y}", "{d}-{m}-{y}", "{d}.{m}.{y}")
KHMER = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
KHMER_MONTHS = [names[-1] for names in MONTHS]


@settings(max_examples=200)
@given(
    day=st.dates(date(1880, 1, 1), date(2100, 1, 1)),
    written=st.sampled_from(ORDERS),
    in_khmer=st.booleans(),
)
def test_a_day_is_read_as_it_was_meant_or_asked_about(
    day: date, written: str, in_khmer: bool
) -> None:
    """Never as another: that is what the days say that a heading alone does not."""
    text = written.format(d=day.day, m=day.month, y=day.year)
    if in_khmer:
        text = text.translate(KHMER)
    assert Calendar(order=DateOrder.DAY_FIRST).day_of(text) == day
    alone = Calendar().day_of(text)
    assert alone == day or (alone is AMBIGUOUS and day.day <= 12 and day.day != day.month)
    swapped = written.format(d=day.month, m=day.day, y=day.year)
    assert Calendar(order=DateOrder.MONTH_FIRST).day_of(swapped) == day
    named = f"ថ្ងៃទី{day.day} ខែ{KHMER_MONTHS[day.month - 1]} ឆ្នាំ{day.year}"
    for unambiguous in (day.isoformat(), named, named.translate(KHMER), day.strftime("%d %B %Y")):
        assert Calendar().day_of(unambiguous) == day


@settings(max_examples=200)
@given(day=st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_years_of_the_buddhist_era_are_never_guessed(day: date) -> None:
    thai = day.strftime(f"{day.year + 543}-%m-%d")
    assert Calendar(era=Era.CIVIL).day_of(thai) == day
    is_before = (day.month, day.day) <= (4, 15)
    if (day.month, day.day) != (2, 29):
        assert Calendar().day_of(thai) == (day if is_before else AMBIGUOUS)
    if day >= date(day.year, 6, 1):
        cambodian = day.strftime(f"{day.year + 544}-%m-%d")
        assert Calendar(era=Era.VISAKHA).day_of(cambodian) == day


def test_numbers_are_days_only_in_workbooks_and_nonsense_is_none() -> None:
    assert Calendar(serials=True).day_of("31515") == date(1899, 12, 30) + timedelta(days=31515)
    for text in ("31515", "30/02/2000", "2000-13-01", "1/2/86", "soon", "", "៩៩/៩៩/៩៩៩៩"):
        assert Calendar().day_of(text) is None


@pytest.mark.parametrize(
    ("text", "phone", "mobile"),
    [
        ("012 345 678", "+85512345678", True),
        ("+855 (0)12-345-678", "+85512345678", True),
        ("00855 12 345 678", "+85512345678", True),
        ("855-97 123 4567", "+855971234567", True),
        ("12345678", "+85512345678", True),
        ("០១២ ៣៤៥ ៦៧៨", "+85512345678", True),
        ("023 880 123", "+85523880123", False),
        ("012 345 678 ext. 4", "+85512345678", True),
        ("+66 81 234 5678", None, False),
        ("12", None, False),
        ("0" * 5000, None, False),
        ("none", None, False),
    ],
)
def test_phones_are_kept_as_e164_however_they_are_written(
    text: str, phone: str | None, mobile: bool
) -> None:
    assert phone_of(text) == phone
    assert phone is None or is_mobile(phone) == mobile


@settings(max_examples=300, deadline=None)
@given(number=st.from_regex(r"[1-9][0-9]{7,8}", fullmatch=True))
def test_what_the_library_takes_for_a_mobile_is_one_here(number: str) -> None:
    phone = f"+855{number}"
    by_library = phonenumbers.number_type(phonenumbers.parse(phone)) in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )
    # Numbers that begin so are mobiles also where no operator had them when the library was made.
    assert is_mobile(phone) == (by_library or number[0] in "189")


KHMER_HEADINGS = [
    "ល.រ",
    "លេខប័ណ្ណសមធម៌",
    "លេខកូដឃុំ",
    "កម្រិតក្រីក្រ",
    "ចំនួនសមាជិក",
    "កុមារអាយុ ០ ដល់ ៥ ឆ្នាំ",
    "ស្ត្រីមានផ្ទៃពោះ",
    "ជនមានពិការភាព",
    "មនុស្សចាស់អាយុ ៦០ ឆ្នាំឡើងទៅ",
    "ឈ្មោះមេគ្រួសារ",
    "លេខទូរស័ព្ទ",
]


def test_headings_in_either_language_and_of_templates_are_known() -> None:
    for headings in (
        [known.header for known in SHAPE],
        [known.words.english.upper() for known in SHAPE],
        [f" {known.words.khmer}\u200b" for known in SHAPE],
        headings_of(SHAPE),
    ):
        found = proposed(headings, rows_of=RowsOf.HOUSEHOLDS, sheet=None)
        assert [column.field for column in found.mapping.columns] == [
            known.header for known in SHAPE
        ]
        assert (found.questions, found.ignored) == ([], [])


def test_what_a_heading_may_mean_is_asked_and_what_it_does_not_is_left_out() -> None:
    headings = ["Registraton number", "Remarks", "Phone", "Telephone", "Commune code"]
    found = proposed(headings, rows_of=RowsOf.HOUSEHOLDS, sheet=None)
    assert [(asked.about, asked.heading) for asked in found.questions] == [
        (Asked.SAME_HEADING, "Telephone"),
        (Asked.SIMILAR_HEADING, "Registraton number"),
    ]
    assert found.ignored == ["Remarks"]


def test_a_file_in_khmer_is_read_by_its_proposal_and_three_answers() -> None:
    found = proposed(KHMER_HEADINGS, rows_of=RowsOf.HOUSEHOLDS, sheet=None)
    assert (found.questions, found.ignored) == ([], ["ល.រ"])
    sample = [
        ["១", "KH-០០១", "១០២០២", "ក្រ១", "៤", "១", "០", "០", "០", "សុខ", "០១២ ៣៤៥ ៦៧៨"],
        ["២", "KH-002", "10202.0", "ក្រខ្លាំង", "04", "1.0", "0", "0", "0", "ចាន់", "023 880 123"],
    ]

    def asked(mapping: MappingDocument) -> list[tuple[Asked, str, tuple[str, ...]]]:
        return [
            (question.about, question.field, question.words)
            for question in open_questions(
                mapping, headings=KHMER_HEADINGS, sample=sample, format=FileFormat.CSV
            )
        ]

    assert asked(found.mapping) == [
        (Asked.UNKNOWN_WORD, "poverty_status", ("ក្រខ្លាំង",)),
        (Asked.ZEROS, "commune_code", ()),
    ]
    document = found.mapping.model_dump()
    document["words"] = [{"field": "poverty_status", "word": "ក្រខ្លាំង", "means": "poor-1"}]
    document["columns"][1]["digits"] = 6
    mapping = MappingDocument.model_validate(document)
    assert asked(mapping) == []
    read = Translator(mapping, headings=KHMER_HEADINGS, format=FileFormat.CSV).translate(sample)
    assert list(read.cells["registration_number"]) == ["KH-001", "KH-002"]
    assert list(read.cells["commune_code"]) == ["010202", "010202"]
    assert list(read.cells["poverty_status"]) == ["poor-1", "poor-1"]
    assert list(read.cells["members"]) == ["4", "4"]
    assert list(read.cells["children_0_5"]) == ["1", "1"]
    assert list(read.cells["phone"]) == ["+85512345678", "+85523880123"]
    assert read.codes == {}
    assert dict(read.notes) == {
        ("commune_code", "zeros-put-back"): 2,
        ("phone", "landline"): 1,
    }


def test_zeros_are_put_back_only_where_the_mapping_says_so() -> None:
    mapping = MappingDocument.model_validate(
        {
            "columns": [
                {"heading": "a", "field": "commune_code"},
                {"heading": "b", "field": "id_number", "digits": 9},
            ]
        }
    )
    read = Translator(mapping, headings=["a", "b"], format=FileFormat.XLSX).translate(
        [["10202", "10203045"], ["010202", "KH-1"]]
    )
    assert list(read.cells["commune_code"]) == ["10202", "010202"]
    assert list(read.cells["id_number"]) == ["010203045", "KH-1"]


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ({"columns": [{"heading": "a", "field": "shoe_size"}]}, "no field shoe_size"),
        (
            {"columns": [{"heading": "a", "field": "phone"}, {"heading": "b", "field": "phone"}]},
            "field is named twice",
        ),
        (
            {"columns": [{"heading": "a", "field": "phone"}, {"heading": "a", "field": "members"}]},
            "heading is named twice",
        ),
        ({"columns": [], "words": [{"field": "x", "word": "y", "means": "z"}]}, "no field x"),
        (
            {"columns": [], "words": [{"field": "poverty_status", "word": "y", "means": "rich"}]},
            "means none of",
        ),
    ],
)
def test_a_mapping_that_could_not_be_followed_is_refused(
    document: dict[str, object], part: str
) -> None:
    with pytest.raises(ValidationError, match=part):
        MappingDocument.model_validate(document)


KEYS = {1: b"k" * 32}
PLACES = {code: code for code in ("010201", "020101")}
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "KH-1", "kh-1", "KH-2", "010201", "poor-1", "ក្រ១", "1", "១", "02/03/2004", "1.0"]
    ),
)


def keys() -> PersonalData:
    persons, accounts, files = (Cipher(KEYS, context=name) for name in ("a", "b", "c"))
    return PersonalData(
        persons=persons, accounts=accounts, files=files, index=BlindIndex(b"i" * 32)
    )


@settings(max_examples=150)
@given(data=st.data(), rows_of=st.sampled_from(RowsOf), format=st.sampled_from(FileFormat))
def test_whatever_stands_in_a_cell_is_read_or_told_and_never_quoted(
    data: st.DataObject, rows_of: RowsOf, format: FileFormat
) -> None:
    """Each row is taken, or has a fault that says nothing of what it said; none stops another."""
    headings = [known.header for known in fields_of(rows_of)]
    mapping = proposed(headings, rows_of=rows_of, sheet=None).mapping
    row = st.lists(CELLS, min_size=len(headings), max_size=len(headings))
    rows = data.draw(st.lists(row, max_size=6))
    translated = Translator(mapping, headings=headings, format=format).translate(rows)
    common: dict[str, Any] = {
        "communes": PLACES,
        "providers": frozenset({"mekong"}),
        "personal_data": keys(),
        "maximum_rejections": 1_000,
    }
    reader: Any = (
        Reader(**common)
        if rows_of is RowsOf.HOUSEHOLDS
        else MemberReader(
            **common, programmes=frozenset(), says_households=True, today=date(2026, 1, 5)
        )
    )
    lines = [10 + at for at in range(len(rows))]
    read = reader.read_cells(lines, translated.cells, codes=translated.codes, broken={})
    bad = {rejection.line for rejection in read.rejections}
    taken = len(read.registration_indexes if rows_of is RowsOf.HOUSEHOLDS else read.owners)
    assert taken + len(bad) == len(rows)
    plain = Translator(mapping, headings=headings, format=format).translate([[""] * len(headings)])
    told = {rejection.fault.detail for rejection in read.rejections}
    blank = reader.read_cells([1], plain.cells, codes={}, broken={})
    known = {
        remedy_of(code, field.remedy) for field in fields_of(rows_of) for code in ("", *WRONG)
    } | {remedy(("mekong",)), *(rejection.fault.detail for rejection in blank.rejections)}
    assert told <= known | {"An earlier line of this file has the same registration number."}


def test_what_to_write_is_told_in_khmer_of_every_field_and_fault() -> None:
    for known in (*SHAPE, *MEMBER_SHAPE):
        for code in (known.kind.fault, *WRONG):
            said = remedy_in_khmer(known.header, code)
            assert re.search("[\u1780-\u17b3]", said), (known.header, code)
    assert remedy_in_khmer(PHONE.header, "malformed").endswith("ឬទុកឱ្យនៅទទេ។")
    assert remedy_in_khmer(ROW, QUOTE_OPEN) == 'សូមបិទសញ្ញា "។'


def test_a_members_phone_and_a_households_are_told_apart_or_asked_about() -> None:
    headings = [known.header for known in MEMBER_FILE]
    found = proposed(headings, rows_of=RowsOf.MEMBERS, sheet=None)
    assert [column.field for column in found.mapping.columns] == headings
    assert found.questions == []
    found = proposed(headings_of(MEMBER_FILE), rows_of=RowsOf.MEMBERS, sheet=None)
    assert [column.field for column in found.mapping.columns] == headings
    assert found.questions == []
    # As people head them: each member may have one of their own.
    found = proposed(
        ["Name", "ID card number", "Telephone", "Member phone"], rows_of=RowsOf.MEMBERS, sheet=None
    )
    assert {column.heading: column.field for column in found.mapping.columns} == {
        "Name": "member_name",
        "ID card number": "member_id_number",
        "Telephone": "member_phone",
    }
    assert [(asked.about, asked.field, asked.heading) for asked in found.questions] == [
        (Asked.OF_WHOM, "member_id_number", "ID card number"),
        (Asked.OF_WHOM, "member_phone", "Telephone"),
        (Asked.SAME_HEADING, "member_phone", "Member phone"),
    ]
    found = proposed(["ID card number"], rows_of=RowsOf.HOUSEHOLDS, sheet=None)
    assert [column.field for column in found.mapping.columns] == ["id_number"]
    assert found.questions == []
