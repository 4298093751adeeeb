"""Ids, money, cursors, the clock, and values that come from outside."""

import base64
import os
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.clock import FileClock, set_clock
from shared.errors import BadRequest, detail_of
from shared.ids import (
    entitlement_id,
    id_of,
    id_of_number,
    instruction_id,
    new_id,
    new_ids,
    numbers_of,
)
from shared.money import Money, UnknownCurrency
from shared.pagination import Int2, Int4, decode_cursor, encode_cursor
from shared.values import STORED, Text


def test_an_id_is_a_uuid_of_version_7_and_of_its_time() -> None:
    before = datetime.now(UTC)
    made = new_id()

    assert type(made) is UUID
    assert (made.version, made.variant) == (7, RFC_4122)
    milliseconds = made.int >> 80
    assert abs(milliseconds / 1000 - before.timestamp()) < 5


def test_ids_do_not_repeat() -> None:
    made = [new_id() for _ in range(20_000)]

    assert len(set(made)) == 20_000
    assert made == sorted(made)

    together = new_ids(20_000)

    assert made[-1] < together[0]
    assert len(set(together)) == 20_000
    assert together == sorted(together)
    assert {(each.version, each.variant) for each in together} == {(7, RFC_4122)}


def test_an_id_that_follows_is_the_same_each_time_and_another_for_other_parts() -> None:
    household, activation = UUID(int=1), UUID(int=2)
    made = id_of("chunk", household, 3)

    assert made == id_of("chunk", household, 3) == id_of("chunk", household, "3")
    assert (made.version, made.variant) == (8, RFC_4122)
    # No two lists of parts read alike, however their letters fall together.
    assert len({made, id_of("chunk", household, 4), id_of("ab", "c"), id_of("a", "bc")}) == 4
    assert id_of("x", day=date(2020, 10, 11)) < id_of("y", day=date(2020, 10, 12))
    assert id_of("x", day=date(2020, 10, 11)) != id_of("x")
    # Rows have such ids: what followed from these parts once follows from them for good.
    near = id_of("household", b"1" * 16, near=b"abcdef")
    numbers = numbers_of("household", [(b"2" * 16, b"abcdef"), (b"1" * 16, b"abcdefg")])
    assert near == id_of_number(numbers[1]) != id_of_number(numbers[0])
    assert near == UUID("61626364-6566-85ac-a694-400c477aae27")
    dated = id_of("x", UUID(int=5), 3, day=date(2020, 10, 12))
    assert dated == UUID("01751a1b-5400-869d-b683-2f31b9f55ffb")
    owed = entitlement_id(household, activation, 1)
    assert (owed.version, owed.variant) == (8, RFC_4122)
    assert owed != entitlement_id(household, activation, 2)
    assert owed.hex[:6] == entitlement_id(activation, activation, 1).hex[:6]
    attempts = {
        instruction_id(owed, announcement=announcement, attempt=attempt)
        for announcement in (1, 2)
        for attempt in (1, 2)
    }
    assert len(attempts) == 4
    assert {attempt.hex[:12] for attempt in attempts} == {owed.hex[:12]}
    assert {(attempt.version, attempt.variant) for attempt in attempts} == {(8, RFC_4122)}


@given(st.integers(0, 10**15), st.sampled_from(["KHR", "USD"]))
def test_money_survives_the_way_to_decimal_and_back(amount_minor: int, currency: str) -> None:
    money = Money(amount_minor, currency)

    assert Money.from_decimal(money.to_decimal(), currency) == money


def test_money_is_never_rounded_mixed_or_of_an_unknown_currency() -> None:
    with pytest.raises(ValueError, match="decimals"):
        Money.from_decimal(Decimal("0.5"), "KHR")
    with pytest.raises(ValueError, match="finite"):
        Money.from_decimal(Decimal("NaN"), "USD")
    with pytest.raises(ValueError, match="Cannot add"):
        Money(1, "KHR") + Money(1, "USD")
    with pytest.raises(UnknownCurrency):
        Money(1, "XXX")


@given(
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.text("abc-Zកខ ", max_size=20),
    st.integers(-(2**63), 2**63 - 1),
)
def test_a_cursor_gives_back_what_was_put_in(
    identity: UUID, instant: datetime, day: date, word: str, number: int
) -> None:
    cursor = encode_cursor(identity, instant, day, word, number)

    assert decode_cursor(cursor, UUID, datetime, date, str, int) == (
        identity,
        instant,
        day,
        word,
        number,
    )


@given(st.text(max_size=60))
def test_a_cursor_of_somebody_elses_is_a_bad_request(cursor: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(cursor, UUID, int)


def test_a_cursor_of_another_list_is_a_bad_request() -> None:
    for cursor in (encode_cursor("a"), encode_cursor(1, 2), encode_cursor(True, True)):
        with pytest.raises(BadRequest):
            decode_cursor(cursor, str, int)


@pytest.mark.parametrize(
    ("kind", "forged"),
    [
        (int, 2**63),
        (int, -(2**63) - 1),
        (int, 1.0),
        (int, True),
        (int, "1"),
        (Int4, 2**31),
        (Int2, -(2**15) - 1),
        (str, "a\0b"),
        (str, "a\ud800b"),
        (str, "x" * 201),
        (str, None),
        (datetime, "2020-10-12T00:00:00"),
        (datetime, "0001-01-01T00:00:00+14:00"),
        (datetime, "9999-12-31T23:59:59-14:00"),
        (datetime, "10000-01-01T00:00:00Z"),
        (datetime, 10**12),
        (date, "0000-01-01"),
        (UUID, "{}"),
        (UUID, {"hex": "0" * 32}),
    ],
)
def test_a_forged_cursor_is_a_bad_request(kind: type, forged: object) -> None:
    """It never holds what PostgreSQL, or its driver, would fail at."""
    with pytest.raises(BadRequest):
        decode_cursor(encode_cursor(forged), kind)


def test_a_cursor_that_is_no_list_is_a_bad_request() -> None:
    for text in ("[" * 380 + "]" * 4, "NaN", "[NaN]", '{"a": 1}', "[[1]]", "[1, 1]", "9" * 380, ""):
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
        with pytest.raises(BadRequest):
            decode_cursor(cursor.rstrip("="), int)
    for cursor in ("Wz*FdWw", encode_cursor(1) + "\n"):
        with pytest.raises(BadRequest):
            decode_cursor(cursor, int)


_LINE: TypeAdapter[str] = TypeAdapter(Annotated[str, Text(longest=20)])
_LINES: TypeAdapter[str] = TypeAdapter(Annotated[str, Text(longest=20, shortest=3, lines=True)])


def test_words_are_taken_in_one_form() -> None:
    assert _LINE.validate_python("  Cafe\u0301\u200b ") == "Caf\u00e9"
    assert _LINES.validate_python("one\r\ntwo\rthree\t3\n") == "one\ntwo\nthree\t3"
    khmer = "ស្រី\u200bដារ៉ា\u200c និង\u200dឡា"
    assert _LINE.validate_python(khmer) == khmer


_UNFIT = (
    "\n\x85\u00ad\u061c\u180e\u200f\u2028\u202e\u2067\ue000\ufdd0\ufeff\ufffd\U000e0041\U0010ffff"
)


@pytest.mark.parametrize(
    "text", ["", "\u200b \u00a0", "x" * 21, *(f"a{character}b" for character in _UNFIT)]
)
def test_what_would_fool_a_reader_is_no_text(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _LINE.validate_python(text)
    assert text == "" or text not in detail_of(refusal.value.errors()[0])


def test_what_was_taken_under_earlier_rules_stays_readable() -> None:
    assert _LINE.validate_python("a\tb", context=STORED) == "a\tb"
    with pytest.raises(ValidationError):
        _LINE.validate_python("a\tb", context=dict(STORED))


def test_text_describes_nothing_but_a_text() -> None:
    """Put around ``str | None`` it would be asked about None."""
    around: Any = Annotated[str | None, Text(longest=20)]
    with pytest.raises(TypeError, match="put it beside"):
        TypeAdapter(around)


def test_one_file_sets_every_clock_and_the_time_flows_on(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    october = datetime(2020, 10, 12, 20, 0, tzinfo=UTC)
    set_clock(path, october)
    clocks = [FileClock(path), FileClock(path)]

    for clock in clocks:
        assert timedelta(0) <= clock.now() - october < timedelta(seconds=5)
        assert clock.today() == date(2020, 10, 13), "it is tomorrow already in Phnom Penh"
    first = clocks[0].now()
    while clocks[0].now() == first:
        os.sched_yield()
    assert clocks[0].now() > first

    phnom_penh = timezone(timedelta(hours=7))
    set_clock(path, datetime(2023, 8, 15, 9, 0, tzinfo=phnom_penh))
    assert {clock.today() for clock in clocks} == {date(2023, 8, 15)}


def test_a_clock_is_not_set_to_an_unknown_zone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        set_clock(tmp_path / "clock.json", datetime(2020, 1, 1))  # noqa: DTZ001
