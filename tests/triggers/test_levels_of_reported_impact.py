"""Which communes a level of reported impact reaches: the table of `docs/triggers.md`, counted."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.registry.areas.gazetteer import AreaRecord, shipped_areas
from services.registry.areas.tables import Level
from services.registry.checks.reach import reach_of
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.triggers.checks.left_out import in_words, left_out
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.method import REPORTED_IMPACT
from tests.triggers.data import flood_reports

GUIDE = Path(__file__).parents[2] / "docs" / "triggers.md"
_ROW = re.compile(
    r"^\| (?P<unquantified>include|ignore) \| (?P<area_filter>[^|]+?) \| (?P<provinces>\d+) "
    r"\| (?P<communes>[\d,]+) \| (?P<households>[\d,]+) \| (?P<battambang>[\d,]+) \|",
    re.MULTILINE,
)
_LEVEL = re.compile(r"(?P<unknown>flood_hazard_index IS NULL OR )?flood_hazard_index >= ([\d.]+)")


class Reached(NamedTuple):
    provinces: int
    communes: int
    households: int
    battambang: int


@pytest.fixture(scope="module")
def communes() -> list[AreaRecord]:
    return [area for area in shipped_areas() if area.level is Level.COMMUNE]


def reached(communes: list[AreaRecord], *, unquantified: str, area_filter: str) -> Reached:
    """The communes, and the IDPoor households in them, of all that October 2020 took in."""
    provinces = areas_of(unquantified)
    chosen = [
        commune
        for commune in communes
        if commune.code[:2] in provinces and _holds(area_filter, commune)
    ]
    return Reached(
        provinces=len({commune.code[:2] for commune in chosen}),
        communes=len(chosen),
        households=sum(map(_idpoor, chosen)),
        battambang=sum(_idpoor(commune) for commune in chosen if commune.code[:2] == "02"),
    )


def areas_of(unquantified: str) -> tuple[str, ...]:
    """The provinces that October 2020 takes in."""
    return october_2020(unquantified).areas


def october_2020(unquantified: str) -> Judgement:
    shipped = TriggerDocument.model_validate(shipped_document("flood-reported-impact"))
    document = shipped.legs[0].method
    assert isinstance(document, ReportedImpact)
    document = document.model_copy(update={"unquantified": unquantified})
    figures = Figures.of(
        Figure(
            area=row["area"],
            place=None,
            source=row["source"],
            observed_on=day,
            published_on=day,
            value=row["value"],
        )
        for day, rows in flood_reports()
        for row in rows
    )
    series = REPORTED_IMPACT.lay_out(figures, document, areas=["KH"])
    days = [figure.observed_on for figure in figures.rows]
    period = Period(first_on=min(days), last_on=max(days))
    return REPORTED_IMPACT.judge(series, document, period=period, areas=["KH"])


def _holds(area_filter: str, commune: AreaRecord) -> bool:
    """A filter by level on one commune, as SQL has it: what is unknown does not hold."""
    if area_filter == "none":
        return True
    match = _LEVEL.fullmatch(area_filter)
    assert match, f"This test cannot read the filter {area_filter}."
    if commune.flood_hazard_index is None:
        return match["unknown"] is not None
    return float(commune.flood_hazard_index) >= float(match[2])


def _idpoor(commune: AreaRecord) -> int:
    return (commune.idpoor1_households or 0) + (commune.idpoor2_households or 0)


def table() -> Iterator[tuple[str, str, Reached]]:
    for row in _ROW.finditer(GUIDE.read_text()):
        counts = [int(row[name].replace(",", "")) for name in Reached._fields]
        yield row["unquantified"], row["area_filter"].strip("`"), Reached(*counts)


def test_the_guide_s_table_of_levels_is_what_the_gazetteer_says(
    communes: list[AreaRecord],
) -> None:
    rows = list(table())
    assert len(rows) >= 5
    for unquantified, area_filter, written in rows:
        counted = reached(communes, unquantified=unquantified, area_filter=area_filter)
        assert counted == written, (unquantified, area_filter)
    shipped = {
        (document["legs"][0]["method"]["unquantified"], document["area_filter"])
        for document in map(shipped_document, ("flood-reported-impact", "flood-reported-figures"))
    }
    assert shipped <= {(unquantified, area_filter) for unquantified, area_filter, _ in rows}


def test_the_shipped_filters_are_rules_that_the_registry_takes() -> None:
    for code in ("flood-reported-impact", "flood-reported-figures"):
        condition = compile_rule(
            shipped_document(code)["area_filter"], attributes=COMMUNE_ATTRIBUTES
        )
        assert "flood_hazard_index" in str(condition)


def test_communes_without_an_index_are_as_many_as_the_guide_says(
    communes: list[AreaRecord],
) -> None:
    without = [commune for commune in communes if commune.flood_hazard_index is None]
    provinces = areas_of("include")
    reported = [commune for commune in without if commune.code[:2] in provinces]
    assert (len(without), sum(map(_idpoor, without))) == (103, 20_967)
    assert (len(reported), sum(map(_idpoor, reported))) == (93, 19_425)
    assert sum(commune.code[:2] == "12" for commune in without) == 28
    guide = GUIDE.read_text()
    assert "103 of 1,652 communes" in guide
    assert "20,967 IDPoor households" in guide
    assert "93 of them" in guide
    assert "19,425" in guide


def test_of_nineteen_provinces_the_shipped_level_reaches_thirteen_and_says_so(
    communes: list[AreaRecord],
) -> None:
    judgement = october_2020("include")
    judged = {
        commune.code: None
        if commune.flood_hazard_index is None
        else _holds("flood_hazard_index >= 5", commune)
        for commune in communes
    }
    reach = reach_of(judgement.areas, judged)
    assert left_out(judgement.evidence, reach) == [
        {"area": "05", "households": None, "because": "area-filter-unknown"},
        {"area": "09", "households": None, "because": "area-filter"},
        {"area": "11", "households": None, "because": "area-filter"},
        {"area": "19", "households": None, "because": "area-filter-unknown"},
        {"area": "22", "households": None, "because": "area-filter"},
        {"area": "24", "households": None, "because": "area-filter"},
    ]
    assert in_words(judgement.evidence, reach) == (
        "Of 19 areas reported, 13 are reached (4 where the filter takes no commune, 2 where the "
        "filter takes no commune, and some have a blank that it asks about). Of 93 communes in "
        "them nobody can say whether the filter takes them: they are left out."
    )


def test_what_the_method_and_what_the_filter_leave_out_stand_together(
    communes: list[AreaRecord],
) -> None:
    judgement = october_2020("ignore")
    everything = {commune.code: True for commune in communes}
    missed = left_out(judgement.evidence, reach_of(judgement.areas, everything))
    assert len(missed) == 16
    assert {entry["because"] for entry in missed} == {"without-figure"}
    assert in_words(judgement.evidence, []).startswith("Of 19 areas reported, 3 are reached (16 ")
    assert in_words({"areas": [{"area": "02"}]}, reach_of(["02"], everything)) == ""
