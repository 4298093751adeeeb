"""Amounts as people read them, in reasons and problems."""

from shared.money import Money, UnknownCurrency


def readable(amount_minor: int, currency: str | None) -> str:
    """An amount with its currency: ``77,270,000 KHR``, ``1,234.50 USD``.

    A currency that is not in use here has no known decimals: its minor units are told as such.
    """
    try:
        money = Money(amount_minor, currency or "")
    except UnknownCurrency:
        return f"{amount_minor:,} minor units of {currency or 'no currency'}"
    return f"{money.to_decimal():,f} {money.currency}"
