"""A month's judgement in sentences and as a chart, from the evidence as it was kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.triggers.methods.chart import Chart, Level, Line, Point, Series
from services.triggers.methods.plain import number_in
from shared.wording import numbers
from shared.wording.phrase import Phrase, sentences

_TITLE = Phrase(
    "The national price by month, and the price from which it activates",
    "តម្លៃជាមធ្យមទូទាំងប្រទេសប្រចាំខែ និងកម្រិតតម្លៃដែលបើកដំណើរការ",
)


def reasons(evidence: Mapping[str, Any], *, unit: str) -> list[Phrase]:
    month = date.fromisoformat(evidence["month"])
    return [
        _price(evidence, month, unit=unit),
        _half(
            evidence,
            "alps",
            Phrase(
                "ALPS, which holds the price against its own trend and season,",
                "សូចនាករ ALPS ដែលប្រៀបធៀបតម្លៃជាមួយនិន្នាការ និងរដូវកាល",
            ),
        ),
        _half(
            evidence,
            "ifpa",
            Phrase(
                "IFPA, which tells whether the price rose abnormally fast,",
                "សូចនាករ IFPA ដែលបង្ហាញថាតម្លៃឡើងលឿនខុសធម្មតាឬទេ",
            ),
        ),
        _required(evidence),
    ]


def chart(evidence: Mapping[str, Any], *, unit: str) -> Chart:
    month = date.fromisoformat(evidence["month"])
    line = Line(
        label=Phrase("median over the markets", "តម្លៃមេដ្យាននៃទីផ្សារ"),
        points=tuple(
            Point(
                on=date.fromisoformat(entry["month"]),
                value=number_in(entry["median"]) if entry["counts"] else None,
            )
            for entry in evidence["national_prices"]
        ),
    )
    return Chart(
        title=_TITLE,
        panels=(
            Series(
                unit=Phrase.same(unit),
                lines=(line,),
                levels=tuple(_levels(evidence)),
                marked=(month, month),
            ),
        ),
        note=sentences(reasons(evidence, unit=unit)[1:]),
    )


def _levels(evidence: Mapping[str, Any]) -> list[Level]:
    """The prices at which the month's ALPS would have reached each stage."""
    forecast = number_in(evidence["alps"].get("forecast"))
    deviation = number_in(evidence["alps"].get("residual_deviation"))
    if forecast is None or deviation is None:
        return []
    levels = [
        Level(
            value=forecast,
            label=Phrase("expected for the month", "តម្លៃដែលរំពឹងទុកសម្រាប់ខែនេះ"),
        )
    ]
    for stage, label in (
        ("readiness", Phrase("readiness by ALPS", "ត្រៀមខ្លួន តាម ALPS")),
        ("activation", Phrase("activation by ALPS", "បើកដំណើរការ តាម ALPS")),
    ):
        threshold = (evidence["thresholds"].get(stage) or {}).get("alps")
        if threshold is not None:
            value = forecast + threshold * deviation
            levels.append(Level(value=value, label=label, pays=stage == "activation"))
    return levels


def _price(evidence: Mapping[str, Any], month: date, *, unit: str) -> Phrase:
    told = numbers.month(month)
    entry = next(
        (
            entry
            for entry in evidence["national_prices"]
            if entry["month"] == evidence["month"] and entry["counts"]
        ),
        None,
    )
    if entry is None:
        return Phrase(
            f"There is no national price for {told.en}: too few markets reported.",
            f"គ្មានតម្លៃជាមធ្យមទូទាំងប្រទេសសម្រាប់{told.km}ទេ៖ ទីផ្សារដែលបានរាយការណ៍មានតិចពេក។",
        )
    price, markets = numbers.number(entry["median"]), numbers.number(entry["markets"])
    return Phrase(
        f"In {told.en} the price was {price.en} {unit}, the median over {markets.en} markets.",
        f"នៅ{told.km} តម្លៃគឺ {price.km} {unit} (មេដ្យាននៃទីផ្សារចំនួន {markets.km})។",
    )


def _half(evidence: Mapping[str, Any], name: str, subject: Phrase) -> Phrase:
    value = number_in(evidence[name].get("value"))
    if value is None:
        reason = evidence[name].get("unjudged", "")
        return Phrase(
            f"{subject.en} could not be judged, and so does not hold. {reason}".strip(),
            f"{subject.km} មិនអាចវាយតម្លៃបានទេ ដូច្នេះមិនរាប់ថាដល់កម្រិត។",
        )
    said = numbers.number(value, decimals=2)
    needed = numbers.number(evidence["thresholds"]["activation"][name], decimals=2)
    return Phrase(
        f"{subject.en} was {said.en}; activation needs {needed.en}.",
        f"{subject.km} គឺ {said.km}។ ការបើកដំណើរការត្រូវការចាប់ពី {needed.km}។",
    )


def _required(evidence: Mapping[str, Any]) -> Phrase:
    if evidence["thresholds"]["activation"]["require"] == "both":
        return Phrase("Both have to hold.", "ត្រូវដល់កម្រិតទាំងពីរ។")
    return Phrase("One of the two is enough.", "ដល់កម្រិតមួយក្នុងចំណោមពីរគឺគ្រប់គ្រាន់។")
