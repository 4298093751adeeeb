"""Lists are cursor pages with a maximum: stable while rows are added, at any depth."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar, overload
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from shared.errors import BadRequest

T = TypeVar("T")
First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")

DEFAULT_LIMIT = 50
MAXIMUM_LIMIT = 500


class Page:
    """Which page the caller asks for."""

    def __init__(
        self,
        cursor: Annotated[
            str | None,
            Query(max_length=512, description="`next_cursor` of the page before; none: the first."),
        ] = None,
        limit: Annotated[
            int, Query(ge=1, le=MAXIMUM_LIMIT, description="Items on the page, at most.")
        ] = DEFAULT_LIMIT,
    ) -> None:
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


PageQuery = Annotated[Page, Depends()]


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


_PARSERS: dict[type, Callable[[Any], Any]] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort key's values, each of its type; raises BadRequest where it was not ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError
        decoded = tuple(
            _PARSERS.get(kind, lambda value: value)(value)
            for kind, value in zip(types, values, strict=True)
        )
        if any(type(value) is not kind for kind, value in zip(types, decoded, strict=True)):
            raise ValueError
        return decoded
    except (ValueError, TypeError, AttributeError, binascii.Error, UnicodeDecodeError):
        raise BadRequest(
            "The cursor is not one that this list gave. Start again without a cursor."
        ) from None
