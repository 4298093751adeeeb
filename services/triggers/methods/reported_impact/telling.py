"""An event's judgement in sentences and as a chart, from the evidence as it was kept."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.geography.names import name_of
from services.triggers.methods.chart import Bar, Bars, Chart, Level
from services.triggers.methods.plain import number_in
from shared.wording import numbers
from shared.wording.phrase import Phrase

_TITLE = Phrase(
    "Households reported affected, and the figures from which it activates",
    "ចំនួនគ្រួសាររងផលប៉ះពាល់ដែលបានរាយការណ៍ និងកម្រិតដែលបើកដំណើរការ",
)
_UNIT = Phrase("households", "គ្រួសារ")
_MAXIMUM_BARS = 40


def reasons(evidence: Mapping[str, Any], *, unit: str) -> list[Phrase]:
    counted = [entry for entry in evidence["areas"] if entry["households"] is not None]
    named = numbers.number(len(evidence["areas"]) - len(counted))
    areas = numbers.number(len(counted))
    days = numbers.span(
        date.fromisoformat(evidence["reported_from"]), date.fromisoformat(evidence["reported_to"])
    )
    activation = evidence["thresholds"]["activation"]
    needed = numbers.number(activation["national_threshold_households"])
    each = numbers.number(activation["area_threshold_households"])
    highest = evidence["highest_report"]
    report = (
        Phrase("No report has a figure.", "មិនមានរបាយការណ៍ណាមានតួលេខទេ។")
        if highest is None
        else _report(highest)
    )
    told = [
        Phrase(f"{days.en}. {report.en}", f"{days.km}។ {report.km}"),
        Phrase(
            f"{areas.en} areas have a figure so far, and {named.en} more were named without one.",
            f"តំបន់ចំនួន {areas.km} មានតួលេខ ហើយតំបន់ចំនួន {named.km} ទៀតត្រូវបានរាយនាមដោយគ្មានតួលេខ។",
        ),
        Phrase(
            f"Activation needs {needed.en} households in one authority's report.",
            f"ការបើកដំណើរការត្រូវការគ្រួសារចំនួន {needed.km} ក្នុងរបាយការណ៍តែមួយ។",
        ),
        Phrase(
            f"An area is taken in from {each.en} households.",
            f"តំបន់មួយត្រូវបានរាប់បញ្ចូល ចាប់ពីគ្រួសារចំនួន {each.km}។",
        ),
    ]
    if named.en != "0":
        told.append(
            Phrase(
                "An area that was named without a figure is taken in too.",
                "តំបន់ដែលត្រូវបានរាយនាមដោយគ្មានតួលេខ ក៏ត្រូវបានរាប់បញ្ចូលដែរ។",
            )
            if evidence["thresholds"]["unquantified"] == "include"
            else Phrase(
                "An area that was named without a figure is left out.",
                "តំបន់ដែលត្រូវបានរាយនាមដោយគ្មានតួលេខ មិនត្រូវបានរាប់បញ្ចូលទេ។",
            )
        )
    return [*told, *_silence(evidence)]


def _silence(evidence: Mapping[str, Any]) -> list[Phrase]:
    if "silent_days" not in evidence:
        return []
    days = numbers.number(evidence["silent_days"])
    if evidence["stands_down_by_rule"]:
        return [
            Phrase(
                f"Nobody has reported for {days.en} days: readiness ends by the trigger's rule.",
                f"គ្មាននរណារាយការណ៍អស់រយៈពេល {days.km} ថ្ងៃ៖ ការត្រៀមខ្លួនត្រូវបញ្ចប់តាមវិធានរបស់លក្ខខណ្ឌនេះ។",
            )
        ]
    return [
        Phrase(
            f"Nobody has reported for {days.en} days. It cannot be judged: silence is not calm.",
            f"គ្មាននរណារាយការណ៍អស់រយៈពេល {days.km} ថ្ងៃ។ មិនអាចវាយតម្លៃបានទេ៖ "
            "ភាពស្ងៀមស្ងាត់មិនមានន័យថាស្ថានភាពធម្មតាទេ។",
        )
    ]


def _report(highest: Mapping[str, Any]) -> Phrase:
    total = numbers.number(highest["households"])
    day = numbers.day(date.fromisoformat(highest["reported_on"]))
    source = highest["source"]
    return Phrase(
        f"The highest report, that of {source} of {day.en}, counts {total.en} households.",
        f"របាយការណ៍ខ្ពស់បំផុត របស់ {source} នៅ{day.km} រាប់បានគ្រួសារចំនួន {total.km}។",
    )


def chart(evidence: Mapping[str, Any], *, unit: str) -> Chart:
    thresholds = evidence["thresholds"]
    activation = thresholds["activation"]
    ready = (thresholds.get("readiness") or {}).get("national_threshold_households")
    together = Bars(
        unit=_UNIT,
        bars=(
            Bar(
                label=Phrase("the highest report", "របាយការណ៍ខ្ពស់បំផុត"),
                value=number_in(evidence["national_households"]),
                reached=evidence["national_households"]
                >= activation["national_threshold_households"],
            ),
        ),
        levels=(
            *([_level(ready, Phrase("readiness", "ត្រៀមខ្លួន"))] if ready else []),
            _level(
                activation["national_threshold_households"],
                Phrase("activation", "បើកដំណើរការ"),
                pays=True,
            ),
        ),
    )
    each = Bars(
        unit=_UNIT,
        bars=tuple(_bars(evidence["areas"])),
        levels=(
            _level(
                activation["area_threshold_households"],
                Phrase("an area is taken in", "តំបន់ត្រូវបានរាប់បញ្ចូល"),
                pays=True,
            ),
        ),
    )
    return Chart(
        title=_TITLE,
        panels=(together, each),
        note=Phrase(
            "Dark: taken in. Light: left out. “no figure”: the area was named without one.",
            "ពណ៌ចាស់៖ ត្រូវបានរាប់បញ្ចូល។ ពណ៌ស្រាល៖ មិនត្រូវបានរាប់បញ្ចូល។ "
            "«គ្មានតួលេខ»៖ តំបន់ត្រូវបានរាយនាមដោយគ្មានតួលេខ។",
        ),
    )


def _bars(areas: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """The highest figures first; of a country's communes only these."""
    highest = sorted(areas, key=lambda entry: (-(entry["households"] or 0), entry["area"]))
    return [
        Bar(
            label=name_of(entry["area"]),
            value=number_in(entry["households"]),
            reached=bool(entry["taken_in"]),
        )
        for entry in highest[:_MAXIMUM_BARS]
    ]


def _level(value: int, label: Phrase, *, pays: bool = False) -> Level:
    said = numbers.number(value)
    return Level(
        value=value,
        label=Phrase(f"{label.en} from {said.en}", f"{label.km}ចាប់ពី {said.km}"),
        pays=pays,
    )
