"""Uploaded results are read whatever they are: each row says something or why it does not."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.payments.cash_lists.reading import IssuedList, ResultRow, Unreadable, read_rows
from services.payments.providers.cashlist.listing import COLUMNS, ListedPayment, content_of
from services.payments.providers.cashlist.states import LineOutcome
from shared.ids import new_id
from shared.money import Money
from shared.payee_codes import payee_code
from shared.wording.in_words import amount_in_words

LINES = {number: ListedPayment(number, new_id(), Money(96_000, "KHR")) for number in range(1, 6)}
ISSUED = IssuedList("000012-0A6F5B21", date(2022, 10, 12), LINES)
TODAY = date(2022, 10, 20)
CELLS = st.one_of(
    st.sampled_from(["", "1", "៥", "paid", "not-paid", "moved-away", "2022-10-13", "13/10/2022"]),
    st.text(max_size=12),
)


@given(st.binary(max_size=400))
def test_no_bytes_are_too_odd_to_be_read(content: bytes) -> None:
    read = read_rows(content, ISSUED, today=TODAY)
    assert isinstance(read, Unreadable | list)


@given(st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=8))
def test_a_row_says_something_of_a_line_or_has_a_fault(rows: list[list[str]]) -> None:
    text = "\n".join([",".join(COLUMNS), *(",".join(row) for row in rows)])
    read = read_rows(text.encode(), ISSUED, today=TODAY)
    assert not isinstance(read, Unreadable)
    for row in read:
        if row.fault is None:
            assert row.number in LINES
            assert row.outcome in (LineOutcome.PAID, LineOutcome.NOT_PAID)
        else:
            assert (row.outcome, row.reason, row.paper_reference) == (None, None, None)


def test_rows_that_differ_about_a_line_are_set_aside_both() -> None:
    text = "number;outcome;paid_on;reason\r\n1;paid;2022-10-13;\r\n1;not paid;;refused\r\n"
    read = read_rows(text.encode("utf-8-sig"), ISSUED, today=TODAY)
    assert isinstance(read, list)
    assert [row.fault for row in read] == ["contradicts-itself"] * 2


def test_a_list_that_is_sent_back_empty_says_nothing() -> None:
    content = content_of(ISSUED.code, list(LINES.values()))
    assert read_rows(content, ISSUED, today=TODAY) == []
    said = content.replace(b",KHR,,,,", b",KHR,paid,2022-10-13,,A-1", 1)
    assert read_rows(said, ISSUED, today=TODAY) == [
        ResultRow(2, 1, LineOutcome.PAID, None, date(2022, 10, 13), "A-1")
    ]


def test_amounts_are_told_in_words() -> None:
    told = amount_in_words(Money(22_792_000, "KHR"))
    assert told.en == "twenty-two million seven hundred and ninety-two thousand riel"
    assert told.km == "ម្ភៃពីរលានប្រាំពីរសែនប្រាំបួនម៉ឺនពីរពាន់រៀល"
    assert amount_in_words(Money(105_050, "USD")).en == "one thousand fifty US dollars and 50/100"
    assert amount_in_words(Money(0, "KHR")).km == "សូន្យរៀល"


def test_a_code_is_short_and_of_letters_that_are_not_taken_for_figures() -> None:
    code = payee_code(LINES[1].entitlement_id)
    assert len(code) == 9
    assert not set(code) & set("ILOU")
