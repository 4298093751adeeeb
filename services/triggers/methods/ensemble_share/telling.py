"""What a place's forecast says, in a sentence, from the evidence as it was kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.triggers.methods.telling_places import name_in
from shared.wording import numbers
from shared.wording.phrase import Phrase


def tell_forecast(forecast: Mapping[str, Any], *, unit: str) -> Phrase:
    name, on = name_in(forecast), numbers.day(date.fromisoformat(forecast["issued_on"]))
    percent = numbers.number(100 * forecast["probability"], decimals=0)
    level = numbers.number(forecast["level"])
    days = numbers.number(forecast["lead_days"])
    return Phrase(
        f"{name.en}: {percent.en}% of the members of the forecast of {on.en} reach {level.en} "
        f"{unit}, {days.en} days ahead.",
        f"{name.km}៖ {percent.km}% នៃសមាជិកការព្យាករ{on.km} ឈានដល់ {level.km} {unit} "
        f"ក្នុងរយៈពេល {days.km} ថ្ងៃខាងមុខ។",
    )
