"""Money: a whole number of minor units and an ISO 4217 currency. Never a float."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from shared.values import Whole

# ISO 4217 gives the riel two decimals; no such coin exists and no provider takes one.
_MINOR_DIGITS = {"KHR": 0, "USD": 2}

MAXIMUM_AMOUNT_MINOR = 10**15

CurrencyCode = Annotated[
    str,
    Field(
        pattern=f"^({'|'.join(_MINOR_DIGITS)})$",
        max_length=3,
        description="ISO 4217 currency code, of those that are in use here.",
        examples=["KHR"],
    ),
]
AmountMinor = Annotated[
    int,
    Whole(least=0, most=MAXIMUM_AMOUNT_MINOR),
    Field(
        description="Amount in minor units: whole riel for KHR, cents for USD.",
        examples=[96000],
    ),
]


class UnknownCurrency(ValueError):
    """A currency that no account is kept in."""


def minor_digits(currency: str) -> int:
    """How many decimals the currency has in use: 0 for KHR, 2 for USD."""
    try:
        return _MINOR_DIGITS[currency]
    except KeyError:
        known = ", ".join(sorted(_MINOR_DIGITS))
        raise UnknownCurrency(f"Currency {currency!r} is not in use here; use {known}.") from None


@dataclass(frozen=True)
class Money:
    """An amount in minor units of one currency."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        minor_digits(self.currency)

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"Cannot add {other.currency} to {self.currency}.")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def to_decimal(self) -> Decimal:
        """The amount in major units, with the currency's own number of decimals."""
        return Decimal(self.amount_minor).scaleb(-minor_digits(self.currency))

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> "Money":
        """From major units; raises ValueError when the currency has no such fraction."""
        if not amount.is_finite():
            raise ValueError("An amount of money is a finite number.")
        minor = amount.scaleb(minor_digits(currency))
        if minor != minor.to_integral_value():
            raise ValueError(f"{currency} has {minor_digits(currency)} decimals, not more.")
        return cls(int(minor), currency)
