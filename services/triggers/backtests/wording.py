"""How the numbers of a report are said, on a page and in a table."""

from services.triggers.backtests.report import Fate, Met, Recurrence
from services.triggers.backtests.scores import Score
from services.triggers.wording.vocabulary import STAGES
from shared.wording import numbers
from shared.wording.phrase import Phrase

UNKNOWN = Phrase("–", "–")

FATES = {
    Fate.HIT: Phrase("hit", "រកឃើញ"),
    Fate.MISSED: Phrase("missed", "ខកខាន"),
    Fate.OUTSIDE: Phrase("outside of the span", "ក្រៅរយៈពេល"),
}
MET = {
    Met.HIT: Phrase("hit", "ត្រឹមត្រូវ"),
    Met.REPEATED: Phrase("the same event again", "ព្រឹត្តិការណ៍ដដែល"),
    Met.FALSE_ALARM: Phrase("false alarm", "ជូនដំណឹងខុស"),
}


def share(score: Score) -> Phrase:
    """A share with the n behind it."""
    if score.value is None:
        return Phrase("none to count", "គ្មានអ្វីត្រូវរាប់")
    value, n = numbers.number(score.value, decimals=2), numbers.number(score.n)
    return Phrase(f"{value.en} (n = {n.en})", f"{value.km} (n = {n.km})")


def count(value: int | None) -> Phrase:
    return UNKNOWN if value is None else numbers.number(value)


def amount(amount_minor: int | None, currency: str | None) -> Phrase:
    if amount_minor is None or currency is None:
        return UNKNOWN
    return numbers.money(amount_minor, currency)


def days(value: float | None) -> Phrase:
    """How long before an event, or after it had begun."""
    if value is None:
        return UNKNOWN
    number = numbers.number(abs(value))
    if value < 0:
        return Phrase(f"{number.en} days after it began", f"{number.km} ថ្ងៃក្រោយចាប់ផ្ដើម")
    return Phrase(f"{number.en} days before", f"{number.km} ថ្ងៃមុន")


def years(each: Recurrence) -> Phrase:
    """Once in so many years, by how many."""
    if each.return_period_years is None:
        n = numbers.number(each.years)
        return Phrase(f"never in {n.en} years", f"មិនដែលក្នុងរយៈពេល {n.km} ឆ្នាំ")
    value = numbers.number(each.return_period_years, decimals=1)
    return Phrase(
        f"{value.en} years ({each.years} + 1)/{each.reached}",
        f"{value.km} ឆ្នាំ {numbers.khmer_digits(f'({each.years} + 1)/{each.reached}')}",
    )


def recurrence(each: Recurrence) -> Phrase:
    """What was reached, by whom."""
    stage = STAGES[each.stage]
    if each.activates:
        return Phrase("an activation is opened", "ការបើកដំណើរការ")
    if each.leg is None:
        return Phrase(f"{stage.en}, the trigger", f"{stage.km} (ទាំងមូល)")
    leg = numbers.number(each.leg)
    return Phrase(f"{stage.en}, leg {leg.en}", f"{stage.km} (ជើង {leg.km})")
