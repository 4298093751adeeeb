"""A day's extent in sentences, from the evidence as it was kept."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shared.wording import numbers
from shared.wording.phrase import Phrase, listed


def reasons(evidence: Mapping[str, Any]) -> list[Phrase]:
    on = numbers.day(date.fromisoformat(evidence["day"]))
    seen: Sequence[Mapping[str, Any]] = evidence["sources"]
    share = evidence["thresholds"]["area_threshold_share"]
    nothing = Phrase(
        f"No area was seen in the days up to {on.en}: that is not calm.",
        f"គ្មានតំបន់ណាមួយត្រូវបានមើលឃើញ គិតត្រឹម{on.km}ទេ៖ នេះមិនមានន័យថាស្ថានភាពធម្មតាទេ។",
    )
    told = [_source(source, on, share=share) for source in seen if source["areas_seen"]]
    return [*(told or [nothing]), _needed(evidence["thresholds"]["activation"])]


def _source(source: Mapping[str, Any], on: Phrase, *, share: float) -> Phrase:
    flooded, every = (numbers.number(source[name]) for name in ("areas_flooded", "areas_seen"))
    percent, square = numbers.number(100 * share), numbers.number(source["flooded_km2"])
    name = source["source"]
    return Phrase(
        f"{name}, up to {on.en}: {flooded.en} of {every.en} areas that were seen are flooded by "
        f"{percent.en}% or more, and {square.en} km² are under water.",
        f"{name} គិតត្រឹម{on.km}៖ តំបន់ចំនួន {flooded.km} ក្នុងចំណោម {every.km} ដែលបានមើលឃើញ "
        f"លិចទឹកចាប់ពី {percent.km}% ឡើងទៅ ហើយផ្ទៃដី {square.km} គីឡូម៉ែត្រការ៉េស្ថិតនៅក្រោមទឹក។",
    )


def _needed(thresholds: Mapping[str, Any]) -> Phrase:
    needed = []
    if thresholds["areas"] is not None:
        areas = numbers.number(thresholds["areas"])
        needed.append(Phrase(f"{areas.en} areas", f"តំបន់ចំនួន {areas.km}"))
    if thresholds["flooded_km2"] is not None:
        square = numbers.number(thresholds["flooded_km2"])
        needed.append(Phrase(f"{square.en} km²", f"ផ្ទៃដី {square.km} គីឡូម៉ែត្រការ៉េ"))
    all_of_it = listed(needed)
    return Phrase(
        f"Activation needs one of: {all_of_it.en}.",
        f"ការបើកដំណើរការត្រូវការយ៉ាងតិចមួយក្នុងចំណោម៖ {all_of_it.km}។",
    )
