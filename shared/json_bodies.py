"""A JSON body is read here as everybody else would read it, or not at all.

RFC 8259 leaves open what an object with one name twice means, and readers differ: what a proxy, a
log and a service each took from it would not be the same. It is refused, and so are the numbers
that JSON does not have. How deep a body may nest is bounded by its models, which leave nothing
open, and before them by the reader.
"""

import json
from contextlib import suppress
from typing import Any

from fastapi import Request

from shared.errors import Unprocessable


class _Ambiguous(ValueError):
    """What readers of JSON take in different ways."""


def _of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise _Ambiguous("An object of the body has one name twice. Write each name once.")
    return read


def _no_number(word: str) -> Any:
    raise _Ambiguous(f"The body says {word}, which is no number in JSON. Write a number, or null.")


def read_unambiguous(body: bytes) -> Any:
    """What a JSON body says; raises ValueError, or RecursionError, where it says nothing, and
    Unprocessable where readers would take it in different ways."""
    try:
        return json.loads(body, object_pairs_hook=_of_pairs, parse_constant=_no_number)
    except _Ambiguous as error:
        raise Unprocessable(str(error)) from None


async def unambiguous_json(request: Request) -> None:
    """Looks at a JSON body that the route reads; raises Unprocessable where it is ambiguous."""
    route = request.scope.get("route")
    if getattr(route, "body_field", None) is None:
        return
    # Whoever reads it for the route says what is wrong with what is no JSON.
    with suppress(ValueError, RecursionError):
        read_unambiguous(await request.body())
