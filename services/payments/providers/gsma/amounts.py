"""Amounts as the standard writes them: text in major units, and a currency beside it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from shared.money import Money, UnknownCurrency


def amount_text(money: Money) -> str:
    """The standard's amount: major units, no trailing zeros after a decimal point.

    Source: schema ``amount``, pattern ``^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$``.
    """
    text = f"{money.to_decimal():f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_money(amount: Any, currency: Any) -> Money | None:
    """An object's ``amount`` and ``currency``, or None where they cannot be read."""
    if not isinstance(amount, str) or not isinstance(currency, str):
        return None
    try:
        return Money.from_decimal(Decimal(amount), currency)
    except (InvalidOperation, ValueError, UnknownCurrency):
        return None
