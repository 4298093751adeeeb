"""What a row of each kind may say: absurd numbers and missing places are refused as they come."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from services.triggers.methods.registry import (
    METHODS,
    AnyMethod,
    any_document,
    indicator_kinds,
    method_of,
)
from services.triggers.observations.schemas import ObservationIn
from tests.triggers.figures import month_of

KINDS = indicator_kinds()


def faults(kind: str, **changes: object) -> set[str]:
    row = {
        "area": "10",
        "place": "Kratie",
        "source": "MRC",
        "observed_on": "2022-09-01",
        "published_on": "2022-09-02",
        "value": 12.5,
        **changes,
    }
    return {fault.field for fault in KINDS[kind].faults_of(ObservationIn.model_validate(row))}


@pytest.mark.parametrize("kind", ["river_stage", "discharge", "rainfall"])
def test_water_within_its_bounds_is_taken(kind: str) -> None:
    assert faults(kind) == set()
    assert faults(kind, value=None) == set()
    assert faults(kind, value=0) == set()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("river_stage", 200.01),
        ("river_stage", -20.01),
        ("discharge", -1),
        ("discharge", 1_000_001),
        ("rainfall", -0.1),
        ("rainfall", 10_001),
        ("national_series", 0),
        ("national_series", Decimal("1000000001")),
    ],
)
def test_absurd_numbers_are_refused(kind: str, value: object) -> None:
    assert "value" in faults(kind, value=value)


def test_a_gauge_is_named_and_rain_over_an_area_has_no_place() -> None:
    assert faults("river_stage", place=None) == {"place"}
    assert faults("discharge", place=None) == {"place"}
    assert faults("rainfall", place=None) == set()


def test_a_national_series_is_of_the_country_and_its_months() -> None:
    plain = {"area": "KH", "place": None}
    assert faults("national_series", **plain) == set()
    assert faults("national_series") == {"area", "place"}
    assert faults("national_series", **plain, observed_on="2022-09-02") == {"observed_on"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.kind)
def test_the_example_of_each_method_is_a_document_of_it(method: AnyMethod) -> None:
    document = method.document
    for example in document.model_config["json_schema_extra"]["examples"]:
        assert document.model_validate(example).model_dump(mode="json", exclude_unset=True) == {
            **example
        }


def test_the_documentation_shows_a_document_of_each_method() -> None:
    text = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()
    adapter = TypeAdapter(any_document())
    shown = [
        adapter.validate_json(block)
        for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)
        if '"kind":' in block.split("\n")[1]
    ]
    kinds = {method_of(document).kind for document in shown}
    assert kinds >= {method.kind for method in METHODS} - {"reported-impact"}


def test_kinds_are_told_apart_and_those_of_water_are_shared() -> None:
    assert len({method.kind for method in METHODS}) == len(METHODS)
    by_kind = {
        code: {method.kind for method in METHODS if KINDS[code] in method.indicator_kinds}
        for code in KINDS
    }
    assert by_kind["river_stage"] >= {"stage-threshold", "return-period", "season-percentile"}
    assert by_kind["national_series"] == {"year-on-year"}


def test_what_was_used_ends_with_the_period() -> None:
    period = month_of(date(2022, 2, 1))
    for method in METHODS:
        used = method.used(period)
        assert used.first_on <= period.first_on
        assert used.last_on == period.last_on
