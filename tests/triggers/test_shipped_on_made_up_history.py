"""Shipped definitions of which no history may be passed on, tried on one made up, by hand.

It shows that question, history and definition fit together, and says nothing of how well the
definitions do: docs/triggers.md says which history that needs.
"""

import csv
import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.triggers.backtests.command import tried
from services.triggers.backtests.curve import variants
from services.triggers.backtests.document import BacktestIn
from services.triggers.backtests.report import Fate, Met, Report
from services.triggers.backtests.service import trial_of
from services.triggers.backtests.trial import Trial
from services.triggers.backtests.trying import MAXIMUM_POINTS
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from tests.triggers.test_formats import RAIN as RAIN_AS_PUBLISHED

FOLDER = Path(__file__).parents[2] / "docs" / "backtests"
MEKONG, RAIN = "mekong-stage", "rainfall-by-month"
LOW_WATER = {
    name: gauge["readiness"] - 1
    for name, gauge in shipped_document(MEKONG)["legs"][0]["method"]["levels"].items()
}
DOCUMENT = FOLDER.parent / "triggers.md"
PROVINCES = shipped_document("rainfall-deficit")["areas"]

Line = tuple[str, str | None, date, float]
"""Area, place, day and value."""


def report_of(
    question: str,
    indicator: str,
    lines: Iterable[Line],
    folder: Path,
    *,
    places: str | None = None,
) -> Report:
    """What the command says of a shipped question; its curve, which takes long, is left out."""
    asked = json.loads((FOLDER / f"{question}.json").read_text())
    (folder / "question.json").write_text(json.dumps({**asked, "vary": None}))
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "place", "source", "observed_on", "published_on", "value"])
        writer.writerows(
            [area, place, "made up", day.isoformat(), "", value]
            for area, place, day, value in lines
        )
    return tried(
        folder / "question.json",
        histories=[f"{indicator}={history}"],
        places=FOLDER / f"{places}.csv" if places else None,
    )


@pytest.mark.parametrize("question", [MEKONG, "rainfall-deficit"])
def test_every_threshold_of_the_curve_is_one_of_the_definition(question: str) -> None:
    asked = BacktestIn.model_validate_json((FOLDER / f"{question}.json").read_text())
    document = TriggerDocument.model_validate(shipped_document(question))
    assert asked.vary is not None
    varied = dict(variants(trial_of(asked, document), asked.vary))
    assert all(isinstance(trial, Trial) for trial in varied.values())
    assert document.legs[0].method.model_dump()["at_least_places"] in varied


def test_the_months_of_rain_are_cut_from_the_published_file_as_the_document_says(
    tmp_path: Path,
) -> None:
    published = tmp_path / "rain.csv"
    published.write_text(RAIN_AS_PUBLISHED)
    program = re.search(r"awk -F, '(.*?)'", DOCUMENT.read_text(), re.DOTALL)
    assert program is not None
    cut = subprocess.run(
        ["awk", "-F,", program[1], str(published)], capture_output=True, text=True, check=True
    )
    lines = list(csv.DictReader(cut.stdout.splitlines()))
    assert [(line["area"], line["observed_on"], line["value"]) for line in lines[:3]] == [
        ("02", "2025-10", "121.75"),
        ("02", "2025-11", ""),
        ("02", "2025-12", "3.5"),
    ]
    assert {line["source"] for line in lines} == {"WFP"}
    assert all(line["observed_on"] < "2026-02" for line in lines)


def fates(report: Report) -> dict[str, Fate]:
    return {each.event.name: each.fate for each in report.events}


def gauges(year: int, month: int, waves: Mapping[str, tuple[int, int, float]]) -> Iterable[Line]:
    """A month of every gauge at low water, but for waves: from which day to which, and how high."""
    first = date(year, month, 1)
    for name, low in LOW_WATER.items():
        begins, ends, high = waves.get(name, (99, 99, low))
        for step in range(30):
            day = first + timedelta(days=step)
            yield "12", name, day, high if begins <= day.day <= ends else low


def test_the_mekong_s_question_by_hand(tmp_path: Path) -> None:
    lines = [
        # Kratie stands in flood from the 18th, Kompong Cham from the 20th: two at once from then
        # on, and for two days on the 21st, which is decided when the day of waiting is over.
        *gauges(2011, 9, {"Kratie": (18, 27, 22.1), "Kompong Cham": (20, 29, 15.3)}),
        # One gauge alone, and two for a day alone, are no flood.
        *gauges(2012, 9, {"Kratie": (10, 29, 23.4)}),
        *gauges(2013, 9, {"Kratie": (10, 29, 22.4), "Kompong Cham": (12, 12, 15.3)}),
        # A flood of which nobody tells.
        *gauges(2014, 8, {"Neak Luong": (5, 9, 8.1), "Koh Khel": (5, 9, 8.5)}),
        # Rain: no gauge of the Mekong shows it.
        *gauges(2020, 10, {}),
    ]
    places = "places-flood-2022-districts"
    report = report_of(MEKONG, MEKONG, lines, tmp_path, places=places)
    assert [(was.decided_on, was.evidence_from, was.met) for was in report.activations] == [
        (date(2011, 9, 22), date(2011, 9, 21), Met.HIT),
        (date(2014, 8, 7), date(2014, 8, 6), Met.FALSE_ALARM),
    ]
    assert {area[:2] for area in report.activations[0].areas} == {"03", "10", "25"}
    assert report.activations[0].lead_days == -21
    # Whoever lives in the districts that the two gauges reach.
    with (FOLDER / f"{places}.csv").open() as file:
        living = {row["area"]: int(row["households"]) for row in csv.DictReader(file)}
    reached = report.activations[0].areas
    assert report.activations[0].households == sum(living[area] for area in reached) > 0
    assert [name for name, fate in fates(report).items() if fate is Fate.HIT] == [
        "Mekong and Tonle Sap, 2011"
    ]
    # Of more days than are drawn, no peak is left out.
    (measure,) = report.measures
    assert len(measure.points) <= MAXIMUM_POINTS < (report.last_on - report.first_on).days
    by_year = {
        year: max(point.value or 0 for point in measure.points if point.on.year == year)
        for year in (2011, 2012, 2014, 2020)
    }
    assert by_year == {2011: 2, 2012: 1, 2014: 2, 2020: 0}
    scores = report.scores
    assert (scores.hits, scores.misses, scores.false_alarms) == (1, 9, 1)
    assert scores.probability_of_detection.value == pytest.approx(1 / 10)
    assert scores.false_alarm_ratio.value == pytest.approx(1 / 2)


def months(dry: Mapping[tuple[int, int], Iterable[str]]) -> Iterable[Line]:
    """Each province's months from 1981 on: 100, 110 or 120 mm, year after year; a dry one none."""
    for year in range(1981, 2021):
        for month in range(1, 13):
            for province in PROVINCES:
                fell = 0 if province in dry.get((year, month), ()) else 100 + 10 * (year % 3)
                yield province, None, date(year, month, 1), fell


def test_the_question_of_too_little_rain_by_hand(tmp_path: Path) -> None:
    five = ["01", "02", "05", "06", "15"]
    lines = months(
        {
            # A dry season without rain is none of the wet season's.
            (2013, 1): five,
            # Three months' rain of 220 mm, where 300 to 360 are usual, in five provinces: decided
            # when the figures are out, ten days after July.
            (2015, 7): five,
            # Four provinces are too few.
            (2020, 7): five[:4],
        }
    )
    report = report_of("rainfall-deficit", RAIN, lines, tmp_path)
    (was,) = report.activations
    assert (was.decided_on, was.evidence_from, was.met) == (
        date(2015, 8, 10),
        date(2015, 7, 1),
        Met.HIT,
    )
    assert was.areas == five
    assert was.severity.value == "extreme"
    # What a page draws: how many provinces stand in activation, against how many it takes.
    (measure,) = report.measures
    drawn = {point.on: (point.value, point.activation) for point in measure.points}
    assert drawn[date(2015, 7, 31)] == (5, 5)
    assert drawn[date(2020, 7, 31)] == (4, 5)
    assert drawn[date(2011, 1, 31)] == (None, 5)
    assert fates(report) == {
        "Drought, 2015 and 2016": Fate.HIT,
        "North-west, 2020": Fate.MISSED,
    }
    # Thirty years come before 2011, so that nothing before it can be judged.
    (leg,) = report.legs
    assert leg.judged_from == date(2011, 3, 1)
