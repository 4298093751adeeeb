"""What a place's value says beside its season, from the evidence as it was kept."""

from collections.abc import Mapping
from typing import Any

from services.triggers.methods.telling_places import name_in
from shared.wording import numbers
from shared.wording.phrase import Phrase


def tell_season(place: Mapping[str, Any], *, unit: str) -> Phrase:
    name, value = name_in(place), numbers.number(place["value"])
    percentile = numbers.number(place["percentile"], decimals=1)
    years = numbers.number(place["earlier_years"])
    return Phrase(
        f"{name.en}: {value.en} {unit}, at percentile {percentile.en} of the same season in "
        f"{years.en} earlier years.",
        f"{name.km}៖ {value.km} {unit} ស្ថិតនៅភាគរយចំណាត់ថ្នាក់ទី {percentile.km} នៃរដូវកាលដដែល "
        f"ក្នុង {years.km} ឆ្នាំមុន។",
    )
