"""Numbers, money and days as they are written in each language. Khmer has digits of its own."""

from datetime import date, datetime

from shared.clock import COUNTRY_ZONE
from shared.money import Money, minor_digits
from shared.wording.phrase import Phrase

_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")

_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTHS_KM = (
    *("មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា"),
    *("កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ"),
)
_CURRENCIES_KM = {"KHR": "រៀល", "USD": "ដុល្លារអាមេរិក"}


def khmer_digits(text: str) -> str:
    """The text with Khmer digits. Codes and ids keep theirs: give figures alone."""
    return text.translate(_DIGITS)


def number(value: float, *, decimals: int | None = None) -> Phrase:
    """A number with its thousands set apart; up to four significant decimals unless told."""
    if decimals is not None:
        text = f"{value:,.{decimals}f}"
    elif value == int(value):
        text = f"{int(value):,}"
    else:
        text = f"{value:,.4f}".rstrip("0").rstrip(".")
    return Phrase(text, khmer_digits(text))


def money(amount_minor: int, currency: str) -> Phrase:
    """An amount in the currency's own unit: riel has no smaller one, the dollar has cents."""
    decimals = minor_digits(currency)
    amount = number(float(Money(amount_minor, currency).to_decimal()), decimals=decimals)
    return Phrase(
        f"{amount.en} {currency}", f"{amount.km} {_CURRENCIES_KM.get(currency, currency)}"
    )


def day(on: date) -> Phrase:
    return Phrase(
        f"{on.day} {_MONTHS_EN[on.month - 1]} {on.year}",
        f"ថ្ងៃទី{khmer_digits(str(on.day))} ខែ{_MONTHS_KM[on.month - 1]} "
        f"ឆ្នាំ{khmer_digits(str(on.year))}",
    )


def month(on: date) -> Phrase:
    return Phrase(
        f"{_MONTHS_EN[on.month - 1]} {on.year}",
        f"ខែ{_MONTHS_KM[on.month - 1]} ឆ្នាំ{khmer_digits(str(on.year))}",
    )


def short_day(on: date) -> Phrase:
    """For the ticks of an axis, whose title or other ticks tell the year."""
    return Phrase(
        f"{on.day} {_MONTHS_EN[on.month - 1][:3]}",
        f"{khmer_digits(str(on.day))} {_MONTHS_KM[on.month - 1]}",
    )


def short_month(on: date) -> Phrase:
    return Phrase(
        f"{_MONTHS_EN[on.month - 1][:3]} {on.year}",
        f"{_MONTHS_KM[on.month - 1]} {khmer_digits(str(on.year))}",
    )


def year(on: date) -> Phrase:
    return Phrase(str(on.year), khmer_digits(str(on.year)))


def span(first_on: date, last_on: date) -> Phrase:
    """From one day to another, or the day alone where both are the same."""
    first, last = day(first_on), day(last_on)
    if first_on == last_on:
        return first
    return Phrase(f"{first.en} to {last.en}", f"{first.km} ដល់ {last.km}")


def instant(at: datetime) -> Phrase:
    """A moment by the country's clocks."""
    local = at.astimezone(COUNTRY_ZONE)
    clock = f"{local:%H:%M}"
    on = day(local.date())
    return Phrase(f"{on.en}, {clock}", f"{on.km} ម៉ោង {khmer_digits(clock)}")
