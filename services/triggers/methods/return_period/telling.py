"""What a station says, in a sentence, from the evidence as it was kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.triggers.methods.telling_places import name_in
from shared.wording import numbers
from shared.wording.phrase import Phrase


def tell_station(station: Mapping[str, Any], *, unit: str) -> Phrase:
    name, on = name_in(station), numbers.day(date.fromisoformat(station["observed_on"]))
    value = numbers.number(station["value"])
    level = numbers.number(station["levels"]["activation"])
    years = numbers.number(station["earlier_years"])
    return Phrase(
        f"{name.en}: {value.en} {unit} on {on.en}; its level of activation, by {years.en} earlier "
        f"years, is {level.en} {unit}.",
        f"{name.km}៖ {value.km} {unit} នៅ{on.km}។ កម្រិតបើកដំណើរការរបស់វា តាមទិន្នន័យ {years.km} ឆ្នាំមុន "
        f"គឺ {level.km} {unit}។",
    )
