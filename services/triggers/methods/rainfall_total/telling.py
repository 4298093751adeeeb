"""What the rain of a place says, in sentences, from the evidence as it was kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.triggers.methods.telling_places import name_in
from shared.wording import numbers
from shared.wording.phrase import Phrase


def tell_rain(rain: Mapping[str, Any]) -> Phrase:
    name, on = name_in(rain), numbers.day(date.fromisoformat(rain["observed_to"]))
    millimetres = numbers.number(rain["millimetres"], decimals=1)
    days = numbers.number(rain["days"])
    missing = numbers.number(rain["days_missing"])
    unknown = Phrase("", "")
    if rain["days_missing"]:
        unknown = Phrase(
            f" Of {missing.en} of these days nothing is known.",
            f" គ្មានទិន្នន័យសម្រាប់ {missing.km} ថ្ងៃក្នុងចំណោមនោះទេ។",
        )
    return Phrase(
        f"{name.en}: {millimetres.en} mm of rain in the {days.en} days up to {on.en}.{unknown.en}",
        f"{name.km}៖ ភ្លៀង {millimetres.km} មីលីម៉ែត្រ ក្នុងរយៈពេល {days.km} ថ្ងៃ "
        f"គិតត្រឹម{on.km}។{unknown.km}",
    )
