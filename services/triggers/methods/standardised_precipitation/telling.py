"""What the rain of a place's months says, in a sentence, from the evidence as it was kept."""

from collections.abc import Mapping
from typing import Any

from services.triggers.methods.telling_places import name_in
from shared.wording import numbers
from shared.wording.phrase import Phrase


def tell_months(rain: Mapping[str, Any]) -> Phrase:
    name, spi = name_in(rain), numbers.number(rain["spi"], decimals=2)
    millimetres = numbers.number(rain["millimetres"], decimals=1)
    months, years = numbers.number(rain["months"]), numbers.number(rain["earlier_years"])
    return Phrase(
        f"{name.en}: {millimetres.en} mm of rain in {months.en} months, an SPI of {spi.en} beside "
        f"{years.en} earlier years.",
        f"{name.km}៖ ភ្លៀង {millimetres.km} មីលីម៉ែត្រ ក្នុងរយៈពេល {months.km} ខែ "
        f"សន្ទស្សន៍ SPI {spi.km} ធៀបនឹង {years.km} ឆ្នាំមុន។",
    )
