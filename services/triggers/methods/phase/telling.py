"""A period's phases in sentences, from the evidence as it was kept."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.geography.names import name_of
from services.triggers.methods.trigger_stage import TriggerStage
from shared.wording import numbers
from shared.wording.phrase import Phrase

_MAXIMUM_AREAS = 8


def reasons(evidence: Mapping[str, Any]) -> list[Phrase]:
    areas: Sequence[Mapping[str, Any]] = evidence["areas"]
    furthest_first = sorted(areas, key=lambda area: -TriggerStage(area["reaches"]).rank)
    return [
        _counted(areas),
        *(_area(area) for area in furthest_first[:_MAXIMUM_AREAS]),
        _needed(evidence["thresholds"]["activation"]),
        *_unknown(areas),
    ]


def _counted(areas: Sequence[Mapping[str, Any]]) -> Phrase:
    reach = sum(TriggerStage(area["reaches"]) is TriggerStage.ACTIVATION for area in areas)
    every, count = numbers.number(len(areas)), numbers.number(reach)
    return Phrase(
        f"{every.en} areas are classified; {count.en} of them reach activation.",
        f"តំបន់ចំនួន {every.km} ត្រូវបានចាត់ថ្នាក់ ហើយ {count.km} ក្នុងចំណោមនោះដល់កម្រិតបើកដំណើរការ។",
    )


def _area(area: Mapping[str, Any]) -> Phrase:
    name, on = name_of(area["area"]), numbers.day(date.fromisoformat(area["day"]))
    if area["phase"] is None:
        return Phrase(
            f"{name.en}: not classified on {on.en}.", f"{name.km}៖ មិនត្រូវបានចាត់ថ្នាក់នៅ{on.km}ទេ។"
        )
    phase = numbers.number(area["phase"])
    before = Phrase("", "")
    if area["before"] is not None and area["before"]["phase"] is not None:
        was = numbers.number(area["before"]["phase"])
        since = numbers.day(date.fromisoformat(area["before"]["day"]))
        before = Phrase(f"; {was.en} on {since.en} before", f" ពីមុនដំណាក់កាលទី {was.km} នៅ{since.km}")
    return Phrase(
        f"{name.en}: phase {phase.en} on {on.en}{before.en}.",
        f"{name.km}៖ ដំណាក់កាលទី {phase.km} នៅ{on.km}{before.km}។",
    )


def _needed(thresholds: Mapping[str, Any]) -> Phrase:
    phase = numbers.number(thresholds["phase"])
    rise, people = Phrase("", ""), Phrase("", "")
    if thresholds["rise"]:
        by = numbers.number(thresholds["rise"])
        rise = Phrase(f", a rise by {by.en}", f" ការកើនឡើង {by.km} ដំណាក់កាល")
    if thresholds["population_share"]:
        percent = numbers.number(100 * thresholds["population_share"], decimals=0)
        people = Phrase(f", and {percent.en}% of the people", f" និង {percent.km}% នៃប្រជាជន")
    return Phrase(
        f"Activation needs phase {phase.en} or worse{rise.en}{people.en}.",
        f"ការបើកដំណើរការត្រូវការដំណាក់កាលទី {phase.km} ឬធ្ងន់ជាងនេះ{rise.km}{people.km}។",
    )


def _unknown(areas: Sequence[Mapping[str, Any]]) -> list[Phrase]:
    unknown = sum(not area["judged"] for area in areas)
    if not unknown:
        return []
    count = numbers.number(unknown)
    return [
        Phrase(
            f"Of {count.en} areas nothing says what the phase was before: a rise cannot be judged.",
            f"សម្រាប់តំបន់ចំនួន {count.km} គ្មានទិន្នន័យអំពីដំណាក់កាលមុនទេ៖ មិនអាចវាយតម្លៃការកើនឡើងបានទេ។",
        )
    ]
