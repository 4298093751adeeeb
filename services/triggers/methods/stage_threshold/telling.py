"""What a gauge says, in a sentence, from the evidence as it was kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.triggers.methods.telling_places import name_in
from shared.wording import numbers
from shared.wording.phrase import Phrase


def tell_gauge(gauge: Mapping[str, Any]) -> Phrase:
    name, on = name_in(gauge), numbers.day(date.fromisoformat(gauge["observed_on"]))
    metres = numbers.number(gauge["metres"])
    level = numbers.number(gauge["levels_metres"]["activation"])
    days = numbers.number(gauge["days_in_a_row"])
    return Phrase(
        f"{name.en}: {metres.en} m on {on.en}; {days.en} days in a row at its level of activation, "
        f"{level.en} m, or above.",
        f"{name.km}៖ {metres.km} ម៉ែត្រ នៅ{on.km}។ {days.km} ថ្ងៃជាប់គ្នា ស្មើ ឬលើសកម្រិតបើកដំណើរការ "
        f"{level.km} ម៉ែត្រ។",
    )
