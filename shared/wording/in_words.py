"""Amounts in words, as they stand on papers that people sign, in both languages."""

from shared.money import Money, minor_digits
from shared.wording.numbers import khmer_digits
from shared.wording.phrase import Phrase

_UNITS_EN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS_EN = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES_EN = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1_000, "thousand"))

_UNITS_KM = (*("សូន្យ", "មួយ", "ពីរ", "បី", "បួន", "ប្រាំ", "ប្រាំមួយ", "ប្រាំពីរ", "ប្រាំបី", "ប្រាំបួន"),)
_TENS_KM = ("ដប់", "ម្ភៃ", "សាមសិប", "សែសិប", "ហាសិប", "ហុកសិប", "ចិតសិប", "ប៉ែតសិប", "កៅសិប")
_PLACES_KM = ((100_000, "សែន"), (10_000, "ម៉ឺន"), (1_000, "ពាន់"), (100, "រយ"))
"""Below a million each place has a word of its own."""

_CURRENCIES = {
    "KHR": Phrase("riel", "រៀល"),
    "USD": Phrase("US dollars", "ដុល្លារអាមេរិក"),
}


def amount_in_words(amount: Money) -> Phrase:
    """An amount that is not below zero; what is below the unit stands in figures."""
    parts = 10 ** minor_digits(amount.currency)
    whole, rest = divmod(amount.amount_minor, parts)
    unit = _CURRENCIES.get(amount.currency, Phrase.same(amount.currency))
    english, khmer = f"{english_words(whole)} {unit.en}", f"{khmer_words(whole)}{unit.km}"
    if rest:
        english += f" and {rest}/{parts}"
        khmer += f" និង {khmer_digits(f'{rest}/{parts}')}"
    return Phrase(english, khmer)


def english_words(number: int) -> str:
    """A whole number from 0 in English."""
    for scale, name in _SCALES_EN:
        if number >= scale:
            many, rest = divmod(number, scale)
            return f"{english_words(many)} {name}" + (f" {english_words(rest)}" if rest else "")
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        return f"{_UNITS_EN[hundreds]} hundred" + (f" and {english_words(rest)}" if rest else "")
    if number >= 20:
        tens, rest = divmod(number, 10)
        return _TENS_EN[tens - 2] + (f"-{_UNITS_EN[rest]}" if rest else "")
    return _UNITS_EN[number]


def khmer_words(number: int) -> str:
    """A whole number from 0 in Khmer."""
    if number >= 10**6:
        millions, rest = divmod(number, 10**6)
        return f"{khmer_words(millions)}លាន" + (khmer_words(rest) if rest else "")
    for place, name in _PLACES_KM:
        if number >= place:
            many, rest = divmod(number, place)
            return f"{_UNITS_KM[many]}{name}" + (khmer_words(rest) if rest else "")
    if number >= 10:
        tens, rest = divmod(number, 10)
        return _TENS_KM[tens - 1] + (_UNITS_KM[rest] if rest else "")
    return _UNITS_KM[number]
