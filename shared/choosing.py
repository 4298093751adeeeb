"""Choosing rows by a set of values."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute


def one_of(
    column: ColumnElement[Any] | InstrumentedAttribute[Any], values: Iterable[Any]
) -> ColumnElement[bool]:
    """Whether a column has one of the values.

    However many there are, the statement is the same: it is made, sent and planned once. ``in_``
    makes another for each number of them.
    """
    chosen: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(column.type)))
    return chosen
