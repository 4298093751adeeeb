"""Lists are cursor pages with a maximum: stable while rows are added, at any depth."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from shared.errors import BadRequest

T = TypeVar("T")

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


def page_of(rows: list[T], *, page: Page, key: Callable[[T], tuple[Any, ...]]) -> PageOf[T]:
    """A page from ``page.limit + 1`` rows at most: the surplus row says that there is a next."""
    items = rows[: page.limit]
    more = len(rows) > page.limit
    return PageOf(items=items, next_cursor=encode_cursor(*key(items[-1])) if more else None)
