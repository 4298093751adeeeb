"""Every method says why in both languages, with the same numbers in each."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from services.triggers.methods.figures import Figure
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import MethodDocument
from services.triggers.methods.registry import METHODS, method_of
from shared.wording.phrase import Phrase
from tests.triggers.figures import daily, day_of, judged, month_of, monthly
from tests.triggers.test_history import FLOOD_FIGURES, RICE_FIGURES
from tests.triggers.test_warning import alert

DAY = date(2023, 9, 15)
MONTH = date(2023, 9, 1)
KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
NAMES = (
    *("Kratie", "Prek Kdam", "weather@mowram.gov.kh", "Flood", "Sentinel-1", "HRF", "m3/s"),
    *("ALPS", "IFPA", "SPI", "USD/KG", "households", "mm"),
)
"""What stands in a sentence as it was written: names, units, and what an index is called."""
BY_KIND = {method.kind: method for method in METHODS}
Case = Callable[[], Judgement]


def document(kind: str, **changes: Any) -> MethodDocument:
    model = BY_KIND[kind].document
    example = model.model_json_schema()["examples"][0]
    made: MethodDocument = model.model_validate({**example, **changes})
    return made


def years_of(value: Callable[[date], float], *, years: int, **where: Any) -> list[Figure]:
    first_on = date(DAY.year - years, 1, 1)
    days = (DAY - first_on).days + 1
    values = [value(first_on + timedelta(days=n)) for n in range(days)]
    return daily(values, first_on=first_on, **where)


def gauges() -> Judgement:
    kratie = daily([22.5, 23.4, 23.1], first_on=DAY - timedelta(days=2))
    return judged(kratie, document("stage-threshold"), day_of(DAY))


def discharges() -> Judgement:
    figures = years_of(
        lambda day: 60_000.0 if day == DAY else 1_000.0 + day.year % 7 + day.timetuple().tm_yday,
        years=24,
    )
    return judged(figures, document("return-period"), day_of(DAY))


def ensemble() -> Judgement:
    figures = [
        Figure("10", "Kratie", "GloFAS", DAY, DAY - timedelta(days=days), 53_000.0, member)
        for days in (2, 3)
        for member in range(50)
    ]
    return judged(figures, document("ensemble-share"), day_of(DAY), forecast=True)


def rain_of_months() -> Judgement:
    values = [100.0 + (n * 37) % 60 for n in range(12 * 33)]
    first = date(1991, 1, 1)
    figures = monthly(values, first_month=first, area="02", source="WFP")
    return judged(figures, document("standardised-precipitation"), month_of(date(2023, 8, 1)))


def rain_of_days() -> Judgement:
    figures = daily(
        [60.0, None, 70.0, 80.0, 75.5], first_on=DAY - timedelta(days=4), place=None, area="02"
    )
    return judged(figures, document("rainfall-total", at_least_places=1), day_of(DAY))


def water_of_season() -> Judgement:
    figures = years_of(
        lambda day: 3.0 if day == DAY else 8.0 + day.year % 5,
        years=17,
        place="Prek Kdam",
        area="08",
    )
    return judged(figures, document("season-percentile"), day_of(DAY))


def silent_gauges() -> Judgement:
    figures = daily([22.5], first_on=DAY - timedelta(days=40))
    return judged(figures, document("stage-threshold"), day_of(DAY))


def consumer_prices() -> Judgement:
    values = [100.0 * (1.01**n) for n in range(30)]
    figures = monthly(values, first_month=date(2021, 4, 1))
    return judged(figures, document("year-on-year"), month_of(MONTH))


def consumer_prices_with_a_gap() -> Judgement:
    values = [100.0 * (1.01**n) if n != 17 else None for n in range(30)]
    figures = monthly(values, first_month=date(2021, 4, 1))
    return judged(figures, document("year-on-year"), month_of(MONTH))


def rice() -> Judgement:
    known = [figure for figure in RICE_FIGURES if figure.observed_on <= MONTH]
    return judged(known, document("price-spike"), month_of(MONTH))


def reports() -> Judgement:
    whole = Period(first_on=date(2020, 10, 12), last_on=date(2020, 10, 20))
    return judged(FLOOD_FIGURES, document("reported-impact"), whole)


def silence() -> Judgement:
    whole = Period(first_on=date(2020, 10, 21), last_on=date(2020, 11, 19))
    return judged(FLOOD_FIGURES, document("reported-impact"), whole)


def alerts() -> Judgement:
    figures = [alert(), alert("KH-2", area="15", rank=4)]
    return judged(figures, document("warning"), day_of(figures[0].observed_on))


def ended_alerts() -> Judgement:
    figures = [alert(), alert("KH-2", area="15", day=1, lasts_days=None)]
    return judged(figures, document("warning"), day_of(date(2022, 10, 1)))


def phases() -> Judgement:
    def classified(area: str, phase: int, on: date) -> Figure:
        return Figure(area, None, "IPC", on, on, phase, details={"population_share": 0.25})

    figures = [
        classified("02", 2, DAY - timedelta(days=180)),
        classified("02", 3, DAY),
        classified("15", 3, DAY),
    ]
    return judged(figures, document("phase"), day_of(DAY))


def extents() -> Judgement:
    figures = [
        Figure("010201", None, "Sentinel-1", DAY, DAY, 0.4, details={"flooded_km2": 12.5}),
        Figure("010202", None, "Sentinel-1", DAY, DAY, 0.0),
    ]
    return judged(figures, document("flood-extent"), day_of(DAY))


def nothing_seen() -> Judgement:
    return judged([], document("flood-extent"), day_of(DAY))


CASES: tuple[Case, ...] = (
    *(gauges, silent_gauges, discharges, ensemble, rain_of_months, rain_of_days),
    *(water_of_season, consumer_prices, consumer_prices_with_a_gap, rice, reports, silence),
    *(alerts, ended_alerts, phases, extents, nothing_seen),
)


def numbers_in(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text.translate(KHMER_DIGITS)))


def told(case: Case) -> Iterable[Phrase]:
    judgement = case()
    method = BY_KIND[judgement.evidence["method"]]
    return method.reasons(judgement.evidence, unit="m3/s")


def test_every_method_is_among_the_cases() -> None:
    assert {case().evidence["method"] for case in CASES} == set(BY_KIND)


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_is_said_in_khmer_with_the_numbers_that_english_has(case: Case) -> None:
    phrases = list(told(case))
    assert phrases
    for phrase in phrases:
        named_km, named_en = phrase.km, phrase.en
        for name in NAMES:
            named_km, named_en = named_km.replace(name, ""), named_en.replace(name, "")
        # No word of English is left in the Khmer, nor a digit that is not its own.
        assert re.search("[\u1780-\u17d3]{3}", phrase.km), phrase
        assert not re.search("[A-Za-z]{2}|[0-9]", named_km), phrase
        assert numbers_in(named_km) == numbers_in(named_en), phrase
        assert phrase.km.endswith("។"), phrase
        assert "  " not in phrase.km + phrase.en, phrase


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (gauges, "1 of 2 places reach activation; 1 are needed."),
        (
            gauges,
            "Kratie: 23.1 m on 15 September 2023; 2 days in a row at its level of activation,",
        ),
        (silent_gauges, "cannot be judged: that is not calm."),
        (discharges, "Kratie: 60,000 m3/s on 15 September 2023; its level of activation, by 2"),
        (ensemble, "Kratie: 100% of the members of the forecast of 13 September 2023 reach"),
        (rain_of_months, "Battambang: "),
        (rain_of_days, "Of 1 of these days nothing is known."),
        (water_of_season, "Prek Kdam: 3 m3/s, at percentile"),
        (consumer_prices, "September 2023: 12.7% since the same month of the year before."),
        (
            consumer_prices_with_a_gap,
            "September 2023: the change since the year before is unknown.",
        ),
        (
            alerts,
            "Activation needs severity severe, urgency expected and certainty likely, or more",
        ),
        (ended_alerts, "1 alerts ended the day before, as their senders had said."),
        (phases, "Battambang: phase 3 on 15 September 2023; 2 on 19 March 2023 before."),
        (phases, "Of 1 areas nothing says what the phase was before"),
        (extents, "1 of 2 areas that were seen are flooded by 20% or more, and 12.5 km² are under"),
        (nothing_seen, "No area was seen in the days up to 15 September 2023: that is not calm."),
    ],
)
def test_what_is_found_is_said_as_it_is(case: Case, says: str) -> None:
    said = " ".join(phrase.en for phrase in told(case))
    assert says in said, said


def test_evidence_that_was_kept_before_alerts_were_known_to_end_is_told_still() -> None:
    evidence = {key: value for key, value in alerts().evidence.items() if key != "ended"}
    assert method_of(document("warning")).reasons(evidence, unit="rank")
