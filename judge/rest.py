"""When a system can be judged: once nothing is under way any more."""

import asyncio
import time
from collections.abc import Iterable

from judge.witnesses.book import Book, BookUnreadable
from judge.witnesses.database import CANNOT_ASK, snapshot, under_way

_LOOK_SECONDS = 0.5


def is_at_rest(database_url: str, books: Iterable[Book]) -> bool:
    """Whether nothing is under way. False, too, while something cannot be asked."""

    async def database_rests() -> bool:
        async with snapshot(database_url) as connection:
            return not await under_way(connection)

    try:
        return asyncio.run(database_rests()) and all(book.is_at_rest() for book in books)
    except (*CANNOT_ASK, BookUnreadable):
        return False


def comes_to_rest(database_url: str, books: Iterable[Book], *, within_seconds: float) -> bool:
    """Wait for it; whether it came in time."""
    deadline = time.monotonic() + within_seconds
    patient = list(books)
    while not is_at_rest(database_url, patient):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
