"""The book says the same over HTTP as in the sandbox's storage, and what it cannot say is said."""

from pathlib import Path
from uuid import UUID

import pytest

from judge.records import BookLine
from judge.witnesses.book import (
    COLUMNS,
    BookAsFile,
    BookInStorage,
    BookOverHttp,
    BookUnreadable,
    all_callbacks_delivered,
    book_at,
)


def test_an_address_is_asked_and_anything_else_is_a_file() -> None:
    assert book_at("http://127.0.0.1:8010/") == BookOverHttp("http://127.0.0.1:8010")
    assert book_at("statement.csv") == BookAsFile(Path("statement.csv"))
    assert book_at("book.sqlite") == BookInStorage(Path("book.sqlite"))


def test_a_book_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    with pytest.raises(BookUnreadable, match="No such file"):
        BookAsFile(missing).lines()
    for book in (BookInStorage(missing), BookOverHttp("http://127.0.0.1:1")):
        with pytest.raises(BookUnreadable):
            book.lines()
        with pytest.raises(BookUnreadable):
            book.is_at_rest()


def statement(path: Path, *, amount: str, currency: str) -> BookAsFile:
    file = path / "statement.csv"
    file.write_text(f"{','.join(COLUMNS)}\nmekong,{UUID(int=1)},{amount},{currency},+855\n")
    return BookAsFile(file)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("96000", "KHR", 96_000), ("20.5", "USD", 2_050), ("20", "USD", 2_000)],
)
def test_amounts_are_counted_in_minor_units(
    tmp_path: Path, amount: str, currency: str, expected: int
) -> None:
    (line,) = statement(tmp_path, amount=amount, currency=currency).lines()
    assert line.amount_minor == expected


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("0.5", "KHR", "no such coin"),
        ("0.001", "USD", "no such coin"),
        ("1", "EUR", "nobody is paid in"),
        ("NaN", "KHR", "cannot be read"),
    ],
)
def test_no_coin_is_made_up(tmp_path: Path, amount: str, currency: str, words: str) -> None:
    with pytest.raises(BookUnreadable, match=words):
        statement(tmp_path, amount=amount, currency=currency).lines()


def test_a_statement_is_read_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "statement.csv"
    file.write_text(
        f"correlation_id,provider,currency,amount,account,note\n{UUID(int=1)},mekong,KHR,80,+855,x\n"
    )
    assert BookAsFile(file).lines() == [
        BookLine(
            provider="mekong",
            correlation_id=UUID(int=1),
            amount_minor=80,
            currency="KHR",
            account="+855",
        )
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("provider,correlation_id\n", "no column amount and no column currency"),
        ("", "no column provider"),
        (f"{','.join(COLUMNS)}\nmekong,not-an-id,80,KHR,+855\n", "cannot be read: not-an-id"),
        (f"{','.join(COLUMNS)}\nmekong,{UUID(int=1)},eighty,KHR,+855\n", "cannot be read"),
        (f"{','.join(COLUMNS)}\nmekong\n", "cannot be read"),
    ],
)
def test_a_statement_that_cannot_be_read_is_refused_whole(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "statement.csv"
    file.write_text(text)
    with pytest.raises(BookUnreadable, match=words):
        BookAsFile(file).lines()


class Told:
    def __init__(self, delivered: list[UUID] | None) -> None:
        self._delivered = delivered

    def lines(self) -> list[BookLine]:
        return []

    def callbacks_delivered(self) -> list[UUID] | None:
        return self._delivered

    def is_at_rest(self) -> bool:
        return True


def test_one_book_that_does_not_tell_of_callbacks_is_enough_to_not_know() -> None:
    assert all_callbacks_delivered([Told([UUID(int=1)]), Told([UUID(int=2)])]) == [
        UUID(int=1),
        UUID(int=2),
    ]
    assert all_callbacks_delivered([Told([UUID(int=1)]), Told(None)]) is None
    assert all_callbacks_delivered([]) is None
