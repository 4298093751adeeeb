"""A month's change in sentences, from the evidence as it was kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.wording import numbers
from shared.wording.phrase import Phrase


def reasons(evidence: Mapping[str, Any]) -> list[Phrase]:
    months = evidence["thresholds"]["months_in_a_row"]
    told = [_month(change) for change in evidence["changes"][-months:]]
    return [*told, _needed(evidence["thresholds"])]


def _month(change: Mapping[str, Any]) -> Phrase:
    on = numbers.month(date.fromisoformat(change["month"]))
    if change["percent"] is None:
        return Phrase(
            f"{on.en}: the change since the year before is unknown.",
            f"{on.km}៖ មិនដឹងពីការប្រែប្រួលធៀបនឹងឆ្នាំមុនទេ។",
        )
    percent = numbers.number(change["percent"], decimals=1)
    return Phrase(
        f"{on.en}: {percent.en}% since the same month of the year before.",
        f"{on.km}៖ ប្រែប្រួល {percent.km}% ធៀបនឹងខែដដែលនៃឆ្នាំមុន។",
    )


def _needed(thresholds: Mapping[str, Any]) -> Phrase:
    level = numbers.number(thresholds["levels"]["activation"])
    months = numbers.number(thresholds["months_in_a_row"])
    is_low = thresholds.get("direction") == "low"
    or_beyond = Phrase("or less", "ឬទាបជាងនេះ") if is_low else Phrase("or more", "ឬខ្ពស់ជាងនេះ")
    return Phrase(
        f"Activation needs {level.en}% {or_beyond.en} in {months.en} months in a row.",
        f"ការបើកដំណើរការត្រូវការ {level.km}% {or_beyond.km} ក្នុងរយៈពេល {months.km} ខែជាប់គ្នា។",
    )
