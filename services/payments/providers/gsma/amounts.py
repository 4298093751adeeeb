"""Amounts as the standard writes them: text in major units, and a currency beside it."""

import re
from decimal import Decimal
from typing import Any

from shared.money import MAXIMUM_AMOUNT_MINOR, Money, UnknownCurrency

# The schema's digits, before anything computes with them: a short text can stand for a number
# that takes minutes. Zeros at the end of a fraction, which the schema has not and many write,
# change no amount.
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,4})?")


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
    if not _AMOUNT.fullmatch(amount):
        return None
    try:
        money = Money.from_decimal(Decimal(amount), currency)
    except (ValueError, UnknownCurrency):
        return None
    return money if money.amount_minor <= MAXIMUM_AMOUNT_MINOR else None
