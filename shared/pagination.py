"""Lists are cursor pages with a maximum: stable while rows are added, at any depth."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar, overload
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from shared.errors import BadRequest
from shared.values import UNFIT_FOR_A_LINE, Whole

T = TypeVar("T")
First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")

DEFAULT_LIMIT = 50
MAXIMUM_LIMIT = 500
_MAXIMUM_CURSOR_CHARACTERS = 512
_MAXIMUM_TEXT_CHARACTERS = 200
_BYTES_OF_ANY_NUMBER = 8

CursorText = Annotated[
    str, Field(pattern="^[A-Za-z0-9_-]*$", max_length=_MAXIMUM_CURSOR_CHARACTERS)
]
"""A cursor as it comes back: base64 for URLs, with nothing between."""


class Int2(int):
    """A number of a sort key that is kept in two bytes."""


class Int4(int):
    """A number of a sort key that is kept in four bytes. A plain ``int`` is kept in eight."""


class Page:
    """Which page the caller asks for."""

    def __init__(self, cursor: str | None, limit: int) -> None:
        self.cursor = cursor
        self.limit = limit

    @property
    def fetch_limit(self) -> int:
        """How many rows to ask for: the surplus row says that there is a next page."""
        return self.limit + 1

    @overload
    def after(self, kind: type[First], /) -> First | None: ...

    @overload
    def after(self, first: type[First], second: type[Second], /) -> tuple[First, Second] | None: ...

    @overload
    def after(
        self, first: type[First], second: type[Second], third: type[Third], /
    ) -> tuple[First, Second, Third] | None: ...

    def after(self, *kinds: type[Any]) -> Any:
        """The sort key that the page begins behind, of these types; None on the first page.

        One type gives a bare value, several a tuple. Raises BadRequest for a cursor that no list
        with this key gave.
        """
        if not self.cursor:
            return None
        values = decode_cursor(self.cursor, *kinds)
        return values[0] if len(values) == 1 else values

    def of(self, rows: Sequence[T], *, key: Callable[[T], tuple[Any, ...]]) -> "PageOf[T]":
        """The page from ``fetch_limit`` rows at most; ``key`` is what ``after`` is given back."""
        items = list(rows[: self.limit])
        more = len(rows) > self.limit
        return PageOf(items=items, next_cursor=encode_cursor(*key(items[-1])) if more else None)


async def _page(
    cursor: Annotated[
        CursorText | None, Query(description="`next_cursor` of the page before; none: the first.")
    ] = None,
    limit: Annotated[
        int, Whole(least=1, most=MAXIMUM_LIMIT), Query(description="Items on the page, at most.")
    ] = DEFAULT_LIMIT,
) -> Page:
    return Page(cursor, limit)


PageQuery = Annotated[Page, Depends(_page)]


class PageOf(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None,
        description="Send it as `cursor` for the next page; null on the last.",
        examples=["WyIwMjAxMDIiXQ"],
    )


def encode_cursor(*values: Any) -> str:
    """An opaque cursor over the sort key's values (text, numbers, dates, UUIDs)."""
    plain = [
        value.isoformat()
        if isinstance(value, date)
        else str(value)
        if isinstance(value, UUID)
        else value
        for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAXIMUM_TEXT_CHARACTERS:
        raise ValueError
    if UNFIT_FOR_A_LINE.search(value):
        raise ValueError
    return value


def _whole(value: Any, *, of_bytes: int = _BYTES_OF_ANY_NUMBER) -> int:
    beyond = 2 ** (8 * of_bytes - 1)
    if type(value) is not int or not -beyond <= value < beyond:
        raise ValueError
    return value


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError
    # What lies beyond the calendar in UTC is no instant that was kept.
    return instant.astimezone(UTC)


_PARSERS: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _whole,
    Int4: lambda value: Int4(_whole(value, of_bytes=4)),
    Int2: lambda value: Int2(_whole(value, of_bytes=2)),
    UUID: UUID,
    datetime: _instant,
    date: date.fromisoformat,
}
"""What reads a value back, whatever was put in its place: it returns one that PostgreSQL takes."""

_NOT_OURS = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort key's values, each of its type; raises BadRequest where it was not ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list):
            raise ValueError
        return tuple(_PARSERS[kind](value) for kind, value in zip(types, values, strict=True))
    except _NOT_OURS:
        raise BadRequest(
            "The cursor is not one that this list gave. Start again without a cursor."
        ) from None
