"""Units as people write them: a currency for a quantity, or a quantity alone."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

_UNIT = re.compile(r"(?:([A-Za-z]{3}) ?/ ?)?([0-9]{1,6}(?:\.[0-9]{1,3})?)? ?([A-Za-z]{1,20})")
_LAST_DIGIT = Decimal("0.000001")
_ABOVE_ANY_VALUE = Decimal(10) ** 12

_MEASURES: dict[str, tuple[str, Decimal]] = {
    "mg": ("mass", Decimal("0.000001")),
    "g": ("mass", Decimal("0.001")),
    "kg": ("mass", Decimal(1)),
    "kgs": ("mass", Decimal(1)),
    "mt": ("mass", Decimal(1000)),
    "ml": ("volume", Decimal("0.001")),
    "cl": ("volume", Decimal("0.01")),
    "l": ("volume", Decimal(1)),
    "litre": ("volume", Decimal(1)),
    "litres": ("volume", Decimal(1)),
    "pc": ("pieces", Decimal(1)),
    "pcs": ("pieces", Decimal(1)),
    "piece": ("pieces", Decimal(1)),
    "pieces": ("pieces", Decimal(1)),
    "dozen": ("pieces", Decimal(12)),
    "mm": ("length", Decimal("0.001")),
    "millimetre": ("length", Decimal("0.001")),
    "millimetres": ("length", Decimal("0.001")),
    "cm": ("length", Decimal("0.01")),
    "centimetre": ("length", Decimal("0.01")),
    "centimetres": ("length", Decimal("0.01")),
    "m": ("length", Decimal(1)),
    "metre": ("length", Decimal(1)),
    "metres": ("length", Decimal(1)),
    "meter": ("length", Decimal(1)),
    "meters": ("length", Decimal(1)),
    "in": ("length", Decimal("0.0254")),
    "inch": ("length", Decimal("0.0254")),
    "inches": ("length", Decimal("0.0254")),
    "ft": ("length", Decimal("0.3048")),
    "foot": ("length", Decimal("0.3048")),
    "feet": ("length", Decimal("0.3048")),
}

_FLOWS: dict[str, Decimal] = {
    "m3/s": Decimal(1),
    "m³/s": Decimal(1),
    "m^3/s": Decimal(1),
    "cumecs": Decimal(1),
    "l/s": Decimal("0.001"),
    "ft3/s": Decimal("0.028316846592"),
    "ft³/s": Decimal("0.028316846592"),
    "cfs": Decimal("0.028316846592"),
}
"""In cubic metres a second."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit that was understood: how much of what, and in which currency where it is a price."""

    currency: str | None
    measure: str
    """Mass, volume, pieces, length or flow, or the word itself where it is no measure."""
    quantity: Decimal
    """In kilograms, litres, pieces, metres or cubic metres a second; of another word, as many of it
    as is said."""


def unit_of(text: str) -> Unit | None:
    """A unit such as `USD/KG`, `5 L`, `cm` or `m3/s`; None: it is none of that form."""
    flow = _FLOWS.get(_plain(text))
    if flow is not None:
        return Unit(currency=None, measure="flow", quantity=flow)
    written = _UNIT.fullmatch(text.strip())
    if written is None:
        return None
    currency, number, word = written.groups()
    measure, size = _MEASURES.get(word.lower(), (word.lower(), Decimal(1)))
    quantity = Decimal(number or 1) * size
    if quantity == 0:
        return None
    return Unit(currency=currency and currency.upper(), measure=measure, quantity=quantity)


def brought_into(value: Decimal, *, said: str, unit: str) -> Decimal | None:
    """A value that is said to be in one unit, in another; None: it cannot be brought into it.

    A price of a package becomes that of the indicator's quantity, and an amount of a quantity one
    of the other. A currency that is not said is the indicator's; another is never exchanged: the
    rate is a figure of its own. What would be larger than any value cannot be brought either.
    """
    if _plain(said) == _plain(unit):
        return value
    from_unit, to_unit = unit_of(said), unit_of(unit)
    if from_unit is None or to_unit is None or from_unit.measure != to_unit.measure:
        return None
    if from_unit.currency not in (None, to_unit.currency):
        return None
    factor = from_unit.quantity / to_unit.quantity
    brought = value / factor if to_unit.currency else value * factor
    if abs(brought) >= _ABOVE_ANY_VALUE:
        return None
    return brought.quantize(_LAST_DIGIT, rounding=ROUND_HALF_EVEN)


def _plain(text: str) -> str:
    return text.replace(" ", "").lower()
