"""Reading the values of a statement's lines, a column at a time: all of them, or a fault.

A column of a block is held against one pattern, so that what is right costs little; whoever gets
a fault halves the block until it has the line.
"""

import re
from collections.abc import Sequence
from datetime import MAXYEAR, MINYEAR, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import repeat
from uuid import UUID

from services.payments.reconciliation.lines import MAXIMUM_MINOR, NOTHING, Fault

_WHOLE = re.compile(r"-?[0-9]{1,15}(?:\n-?[0-9]{1,15})*")
_CENTS = re.compile(r"-?[0-9]{1,13}\.[0-9]{2}(?:\n-?[0-9]{1,13}\.[0-9]{2})*")
_HEX = re.compile(r"[0-9a-fA-F]{32}(?:\n[0-9a-fA-F]{32})*")
_HYPHENED = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\n[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})*"
)
_TIMES = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})(?:\n|\Z))+"
)
_OUR_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_AMOUNT = re.compile(
    r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,4})?|[-+]?[0-9]{1,15}(?:\.[0-9]{1,4})?"
)
# ASCII without the backslash, which COPY would read as the beginning of something else.
_REFERENCES = re.compile(r"[!-\[\]-~]{1,64}(?:\n[!-\[\]-~]{1,64})*")
_REFERENCE = re.compile(r"[ -\[\]-~]{1,64}")

_NO_AMOUNT = "It is no amount of the provider's currency: digits, and a point before decimals."
_NO_TIME = "It is no time as the provider's statement mapping has it."
_NO_REFERENCE = "It has more than 64 characters, or other than those of ASCII."


def amounts(cells: Sequence[str], *, digits: int, field: str) -> list[int]:
    """Minor units, signed; raises Fault. ``digits``: decimals of the currency."""
    joined = "\n".join(cells)
    if _WHOLE.fullmatch(joined):
        values = list(map(int, cells))
        if digits:
            values = [value * 10**digits for value in values]
    elif digits == 2 and _CENTS.fullmatch(joined):
        values = list(map(int, joined.replace(".", "").split("\n")))
    else:
        values = [_amount(cell, digits=digits, field=field) for cell in cells]
    if max(values) > MAXIMUM_MINOR or min(values) < -MAXIMUM_MINOR:
        raise Fault(field, _NO_AMOUNT)
    return values


def _amount(cell: str, *, digits: int, field: str) -> int:
    cell = cell.strip()
    if not _AMOUNT.fullmatch(cell):
        raise Fault(field, _NO_AMOUNT)
    try:
        minor = Decimal(cell.replace(",", "")).scaleb(digits)
    except InvalidOperation:
        raise Fault(field, _NO_AMOUNT) from None
    if minor != minor.to_integral_value():
        raise Fault(field, _NO_AMOUNT)
    return int(minor)


def our_ids(cells: Sequence[str]) -> Sequence[str]:
    """Ids as COPY takes them. What is no id of ours names no payment, and is no fault."""
    joined = "\n".join(cells)
    if _HEX.fullmatch(joined) or _HYPHENED.fullmatch(joined):
        return cells
    return [_our_id(cell) for cell in cells]


def _our_id(cell: str) -> str:
    cell = cell.strip()
    return str(UUID(cell)) if _OUR_ID.fullmatch(cell) else NOTHING


def references(cells: Sequence[str]) -> Sequence[str]:
    """The provider's references as COPY takes them; raises Fault."""
    if _REFERENCES.fullmatch("\n".join(cells)):
        return cells
    return [_reference(cell) for cell in cells]


def _reference(cell: str) -> str:
    cell = cell.strip()
    if not cell:
        return NOTHING
    if not _REFERENCE.fullmatch(cell):
        raise Fault("reference", _NO_REFERENCE)
    return cell


def times(cells: Sequence[str], *, format: str | None, zone: tzinfo) -> Sequence[str]:
    """Instants in ISO 8601, with an offset; raises Fault. Without one they are in ``zone``."""
    try:
        instants = (
            list(map(datetime.fromisoformat, cells))
            if format is None
            else list(map(datetime.strptime, cells, repeat(format)))
        )
    except ValueError:
        raise Fault("booked_at", _NO_TIME) from None
    years = [instant.year for instant in instants]
    if min(years) == MINYEAR or max(years) == MAXYEAR:
        # In UTC it may be of a year that there is not, and nobody could read it again.
        raise Fault("booked_at", _NO_TIME)
    if format is None and _TIMES.fullmatch("\n".join(cells)):
        return cells
    return [
        (instant if instant.tzinfo else instant.replace(tzinfo=zone)).isoformat()
        for instant in instants
    ]
