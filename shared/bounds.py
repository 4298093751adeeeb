"""What lies in the areas that a caller is bound to: asked of every query that tells them anything.

Operations refuse whoever is bound to areas unless their route says that it keeps to them
(``shared.operations.narrowed``); one that says so asks its repository for what lies within.
"""

from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute

Bound = tuple[str, ...] | None
"""The codes of a caller's areas; None: the whole country."""

_AFTER_DIGITS = ":"
"""What comes after every digit, as bytes: codes below an area end before its own and this."""


def within(
    bound: Bound, column: ColumnElement[Any] | InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """Whether an area's code, in a column whose collation is C, lies in the caller's areas.

    Ranges, and not beginnings: an index on the column is walked by them. What has no code lies
    nowhere.
    """
    if bound is None:
        return true()
    return or_(*((column >= code) & (column < code + _AFTER_DIGITS) for code in bound))


def within_text(column: str, bound: str = ":bound") -> str:
    """The same as SQL over a parameter, which ``codes_of`` gives: for statements that are text."""
    return f"""(CAST({bound} AS text[]) IS NULL OR EXISTS (
        SELECT FROM unnest(CAST({bound} AS text[])) AS bound_to (code)
        WHERE starts_with({column}, bound_to.code)))"""


def codes_of(bound: Bound) -> list[str] | None:
    """The parameter of such a statement."""
    return None if bound is None else list(bound)


def lies_within(bound: Bound, code: str) -> bool:
    """The same of one code."""
    return bound is None or code.startswith(bound)


def overlap(bound: Bound, code: str) -> bool:
    """Whether an area lies in the caller's areas, or one of those in it."""
    return bound is None or code.startswith(bound) or any(area.startswith(code) for area in bound)
