"""Flood extents: shares of areas, what was last seen, and two satellites over one water."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.triggers.methods.figures import Figure
from services.triggers.methods.flood_extent.document import FloodExtent
from services.triggers.methods.flood_extent.indicator import FLOOD_EXTENT
from services.triggers.methods.flood_extent.method import FLOOD_EXTENT_METHOD
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.observations.schemas import ObservationIn
from tests.triggers.judging import days_after, judged_on

DAY = date(2022, 10, 3)
DOCUMENT = FloodExtent.model_validate(
    {
        "kind": "flood-extent",
        "area_threshold_share": 0.2,
        "readiness": {"areas": 1, "flooded_km2": 10},
        "activation": {"areas": 3, "flooded_km2": 100},
        "extreme_from": {"areas": 5},
        "seen_within_days": 6,
        "rearm": {"quiet_days": 30},
    }
)
NONE, READINESS, ACTIVATION = TriggerStage.NONE, TriggerStage.READINESS, TriggerStage.ACTIVATION


def seen(
    area: str,
    share: float | None,
    *,
    day: int = 0,
    source: str = "Sentinel-1",
    km2: float | None = None,
) -> Figure:
    return Figure(
        area=area,
        place=None,
        source=source,
        observed_on=days_after(DAY, day),
        published_on=days_after(DAY, day),
        value=share,
        details=None if km2 is None else {"flooded_km2": km2},
    )


def on_day(figures: Sequence[Figure], *, day: int = 0, areas: Sequence[str] = ("KH",)) -> Judgement:
    return judged_on(FLOOD_EXTENT_METHOD, DOCUMENT, figures, days_after(DAY, day), areas=areas)


def test_so_many_areas_flooded_enough_reach_a_stage() -> None:
    communes = ["020101", "020102", "020103", "020104", "020105"]
    stages = []
    for count in range(6):
        figures = [seen(area, 0.2 if at < count else 0.19) for at, area in enumerate(communes)]
        judgement = on_day(figures)
        stages.append((judgement.stage, judgement.severity))
        assert judgement.areas == tuple(communes[:count])
    assert stages == [
        (NONE, Severity.SEVERE),
        *[(READINESS, Severity.SEVERE)] * 2,
        *[(ACTIVATION, Severity.SEVERE)] * 2,
        (ACTIVATION, Severity.EXTREME),
    ]


def test_so_many_square_kilometres_reach_a_stage_and_need_an_area_to_activate() -> None:
    shallow = [seen("020101", 0.1, km2=60), seen("020102", 0.1, km2=40)]
    assert (on_day(shallow).stage, on_day(shallow).areas) == (READINESS, ())
    deep = [seen("020101", 0.5, km2=60), seen("020102", 0.1, km2=40)]
    assert (on_day(deep).stage, on_day(deep).areas) == (ACTIVATION, ("020101",))
    assert "100 km² under water" in on_day(deep).finding
    less = [seen("020101", 0.1, km2=5), seen("020102", 0.1)]
    assert on_day(less).stage is NONE


def test_an_area_counts_as_it_was_last_seen_within_the_days_and_what_is_unseen_is_no_calm() -> None:
    figures = [
        seen("020101", 0.9),
        seen("020102", 0.9, day=3),
        seen("020103", 0.9, day=5),
        seen("020102", None, day=5),
    ]
    assert [on_day(figures, day=day).stage for day in (0, 3, 5, 6)] == [
        READINESS,
        READINESS,
        ACTIVATION,
        READINESS,
    ]
    drained = [*figures, seen("020102", 0.05, day=5)]
    assert on_day(drained, day=5).stage is READINESS
    unseen = on_day(figures, day=11)
    assert (unseen.stage, unseen.unjudged) == (
        NONE,
        "No area was seen within the days that count.",
    )
    assert on_day(drained, day=10).unjudged is None


def test_two_satellites_over_one_water_are_not_added_up() -> None:
    figures = [
        seen("020101", 0.9, km2=60),
        seen("020102", 0.9, km2=10),
        seen("020101", 0.9, km2=60, source="Landsat"),
        seen("020103", 0.9, source="Landsat"),
    ]
    judgement = on_day(figures)
    assert (judgement.stage, judgement.areas) == (READINESS, ("020101", "020102", "020103"))


@settings(max_examples=40, deadline=None)
@given(
    shares=st.dictionaries(
        st.tuples(st.sampled_from(["0201", "0202", "0203", "1501"]), st.sampled_from("AB")),
        st.sampled_from([0.0, 0.1, 0.2, 0.7]),
        min_size=1,
    )
)
def test_the_stage_is_that_of_the_source_that_sees_most(
    shares: dict[tuple[str, str], float],
) -> None:
    figures = [seen(area, share, source=source) for (area, source), share in shares.items()]
    alone = [
        on_day([figure for figure in figures if figure.source == source])
        for source in sorted({source for _, source in shares})
    ]
    together = on_day(figures)
    assert together.stage.rank == max(judgement.stage.rank for judgement in alone)


def test_areas_outside_of_the_trigger_s_and_around_them_do_not_count() -> None:
    figures = [seen(area, 0.9) for area in ("020101", "020102", "150101", "02")]
    judgement = on_day(figures, areas=["0201"])
    assert (judgement.stage, judgement.areas) == (READINESS, ("020101", "020102"))


def test_readiness_is_never_harder_to_reach_than_activation() -> None:
    document: dict[str, Any] = DOCUMENT.model_dump()
    for readiness in ({"areas": 4, "flooded_km2": 10}, {"areas": 1}, {"flooded_km2": 10}):
        with pytest.raises(ValidationError, match="must reach readiness"):
            FloodExtent.model_validate({**document, "readiness": readiness})
    with pytest.raises(ValidationError, match="Say how many"):
        FloodExtent.model_validate({**document, "activation": {}})


def test_a_row_is_a_share() -> None:
    for value, faults in ((None, 0), (0, 0), (1, 0), (Decimal("1.01"), 1), (35, 1), (-1, 1)):
        row = ObservationIn.model_validate(
            {
                "area": "020101",
                "source": "Sentinel-1",
                "observed_on": "2022-10-03",
                "published_on": "2022-10-03",
                "value": value,
            }
        )
        assert len(FLOOD_EXTENT.faults_of(row)) == faults
