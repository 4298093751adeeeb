"""The shipped documents beside those that the demonstration replays: what they fire on."""

import csv
import io
from datetime import date, timedelta

import pytest

from services.registry.areas.gazetteer import shipped_areas
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import DOCUMENTS, shipped_document
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.registry import method_of
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

NONE, READINESS, ACTIVATION = TriggerStage.NONE, TriggerStage.READINESS, TriggerStage.ACTIVATION
CODES = sorted(path.stem for path in DOCUMENTS.glob("*.json"))

STAGES = """
Stung Treng,10.7,12.0
Kratie,22.0,23.0
Kompong Cham,15.2,16.2
Phnom Penh (Bassac),10.5,12.0
Koh Khel,7.9,8.4
Neak Luong,7.5,8.0
Prek Kdam,9.5,10.0
"""
"""Alarm and flood stage in metres, as published: see NOTICE."""

FLOODED_BELOW = {"Kratie": 0.5, "Kompong Cham": 0.5, "Phnom Penh (Bassac)": 0.5}
"""Gauges at which floods came below the flood stage: the alarm stage pays, and so many metres
below it prepare."""


def document_of(code: str) -> TriggerDocument:
    return TriggerDocument.model_validate(shipped_document(code))


def judged(code: str, figures: list[Figure], period: Period) -> Judgement:
    document = document_of(code)
    leg = document.legs[0]
    method = method_of(leg.method)
    series = method.lay_out(Figures.of(figures), leg.method, areas=document.areas)
    return method.judge(series, leg.method, period=period, areas=document.areas)


@pytest.mark.parametrize("code", CODES)
def test_a_shipped_document_is_whole_and_names_what_there_is(code: str) -> None:
    document = document_of(code)
    assert document.code == code
    known = {area.code for area in shipped_areas()}
    assert set(document.areas) <= known
    for leg in document.legs:
        for areas in getattr(leg.method, "reaches", {}).values():
            assert set(areas) <= known
    if document.area_filter is not None:
        compile_rule(document.area_filter, attributes=COMMUNE_ATTRIBUTES)


def stages() -> dict[str, tuple[float, float]]:
    rows = csv.reader(io.StringIO(STAGES.strip()))
    return {name: (float(alarm), float(flood)) for name, alarm, flood in rows}


def at(levels: dict[str, float], *, days: int = 3) -> Judgement:
    """All gauges, the others a metre below their alarm stage, so many days."""
    begin = date(2011, 9, 20)
    figures = [
        Figure(
            area="12",
            place=name,
            source="MRC",
            observed_on=begin + timedelta(days=day),
            published_on=begin + timedelta(days=day),
            value=levels.get(name, alarm - 1),
        )
        for name, (alarm, _) in stages().items()
        for day in range(days)
    ]
    last = begin + timedelta(days=days - 1)
    return judged("mekong-stage", figures, Period(first_on=last, last_on=last))


def test_the_mekong_s_levels_are_the_published_stages() -> None:
    levels = shipped_document("mekong-stage")["legs"][0]["method"]["levels"]
    for name, (alarm, flood) in stages().items():
        below = FLOODED_BELOW.get(name)
        assert levels.pop(name) == (
            {"readiness": alarm, "activation": flood}
            if below is None
            else {"readiness": alarm - below, "activation": alarm, "severe": flood}
        )
    assert levels == {}


def test_two_gauges_in_flood_for_two_days_activate_what_they_reach() -> None:
    # As in 2000 to 2002: the water stood in both towns, below the flood stage of either gauge.
    both = {"Kratie": 22.05, "Kompong Cham": 15.3}
    judgement = at(both)
    assert (judgement.stage, judgement.severity) == (ACTIVATION, Severity.MODERATE)
    assert at({"Kratie": 23.0, "Kompong Cham": 15.3}).severity is Severity.SEVERE
    assert {area[:2] for area in judgement.areas} == {"03", "10", "25"}
    assert at(both, days=1).stage is NONE
    assert at({"Kratie": 23.5}).stage is NONE
    assert at({"Kratie": 22.0, "Stung Treng": 11.0}).stage is READINESS


def consumer_prices(*percent: float) -> Judgement:
    """A year of 100, then months that stand so many percent above the year before."""
    values = [100.0] * 12 + [100.0 + change for change in percent]
    months = [date(2021 + at // 12, at % 12 + 1, 1) for at in range(len(values))]
    figures = [
        Figure(
            area="KH",
            place=None,
            source="NIS",
            observed_on=month,
            published_on=month + timedelta(days=45),
            value=value,
        )
        for month, value in zip(months, values, strict=True)
    ]
    last = months[-1]
    return judged(
        "consumer-prices",
        figures,
        Period(first_on=last, last_on=(last + timedelta(days=31)).replace(day=1) - timedelta(1)),
    )


def test_consumer_prices_activate_after_three_months_of_five_percent() -> None:
    assert consumer_prices(5.5, 7.8).stage is NONE
    assert consumer_prices(5.5, 7.8, 5.1).stage is ACTIVATION
    assert consumer_prices(5.5, 4.4, 5.1).stage is READINESS
    assert consumer_prices(2.9, 2.9, 2.9).stage is NONE
