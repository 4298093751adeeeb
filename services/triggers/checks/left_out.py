"""What was reported and is not reached: by the method, and by the filter of communes. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.checks import AreaReach

BY_FILTER = "area-filter"
"""The filter holds for no commune of the area."""
BY_BLANK = "area-filter-unknown"
"""It holds for none, and for some of them nobody can say: an attribute is blank."""

_WORDS = {
    "below-area-threshold": "below the threshold for an area",
    "without-figure": "named without a figure",
    "outside-areas": "outside of the trigger's areas",
    BY_FILTER: "where the filter takes no commune",
    BY_BLANK: "where the filter takes no commune, and some have a blank that it asks about",
}


def left_out(evidence: Mapping[str, Any], reach: Sequence[AreaReach]) -> list[dict[str, Any]]:
    """Each area that was reported and in which nobody is enrolled, with why, by code.

    `evidence` is that of a judgement which names `areas`, and may say what it did not reach
    (`not_reached`); `reach` is what the registry says the filter leaves of what it did.
    """
    households = {entry["area"]: entry.get("households") for entry in evidence.get("areas", [])}
    by_filter = [
        {
            "area": area.area,
            "households": households.get(area.area),
            "because": BY_BLANK if area.unknown else BY_FILTER,
        }
        for area in reach
        if not area.reached
    ]
    entries = [*evidence.get("not_reached", []), *by_filter]
    return sorted(entries, key=lambda entry: str(entry["area"]))


def in_words(evidence: Mapping[str, Any], reach: Sequence[AreaReach]) -> str:
    """A sentence or two; empty where everything that was reported is reached."""
    missed = left_out(evidence, reach)
    said = []
    if missed:
        reported = len({entry["area"] for entry in evidence.get("areas", [])})
        counted = Counter(_WORDS[entry["because"]] for entry in missed)
        most_first = sorted(counted.items(), key=lambda counting: (-counting[1], counting[0]))
        parts = ", ".join(f"{count} {words}" for words, count in most_first)
        said.append(
            f"Of {reported} areas reported, {reported - len(missed)} are reached ({parts})."
        )
    blank = sum(area.unknown for area in reach)
    if blank:
        said.append(
            f"Of {blank} communes in them nobody can say whether the filter takes them: they are "
            "left out."
        )
    return " ".join(said)
