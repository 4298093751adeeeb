"""The book says the same over HTTP as in the sandbox's storage, and what it cannot say is said."""

from pathlib import Path
from uuid import UUID

import pytest

from judge.records import BookLine
from judge.witnesses.book import (
    BookInStorage,
    BookOverHttp,
    BookUnreadable,
    all_callbacks_delivered,
    book_at,
)
from judge.witnesses.book import _minor as minor


def test_an_address_is_asked_and_anything_else_is_a_file() -> None:
    assert book_at("http://127.0.0.1:8010/") == BookOverHttp("http://127.0.0.1:8010")
    assert book_at("book.sqlite") == BookInStorage(Path("book.sqlite"))


def test_a_book_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    for book in (BookInStorage(tmp_path / "none.sqlite"), BookOverHttp("http://127.0.0.1:1")):
        with pytest.raises(BookUnreadable):
            book.lines()
        with pytest.raises(BookUnreadable):
            book.is_at_rest()


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("96000", "KHR", 96_000), ("20.5", "USD", 2_050), ("20", "USD", 2_000)],
)
def test_amounts_are_counted_in_minor_units(amount: str, currency: str, expected: int) -> None:
    assert minor(amount, currency=currency) == expected


@pytest.mark.parametrize(("amount", "currency"), [("0.5", "KHR"), ("0.001", "USD"), ("1", "EUR")])
def test_no_coin_is_made_up(amount: str, currency: str) -> None:
    with pytest.raises(BookUnreadable):
        minor(amount, currency=currency)


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
