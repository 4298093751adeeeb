"""The rule for reported households, on small cases and on the floods of 2011 to 2022."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.definitions.shipped import shipped_document
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Order
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.method import REPORTED_IMPACT
from services.triggers.methods.reported_impact.reports import total_of
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.data import flood_reports

DAY = date(2020, 10, 12)
COUNTRY = ["KH"]
SHIPPED = ReportedImpact.model_validate(
    shipped_document("flood-reported-impact")["legs"][0]["method"]
)
EVER = Period(first_on=date.min, last_on=date.max)


def report(
    area: str,
    households: int | None,
    *,
    day: int = 0,
    source: str = "HRF",
    published: int | None = None,
    place: str | None = None,
) -> Figure:
    """A figure of so many days after the first; published on that day, or so many after."""
    return Figure(
        area=area,
        place=place,
        source=source,
        observed_on=DAY + timedelta(days=day),
        published_on=DAY + timedelta(days=day if published is None else published),
        value=households,
    )


def judged(
    figures: Sequence[Figure],
    *,
    on: int = 365,
    areas: Sequence[str] = COUNTRY,
    document: ReportedImpact = SHIPPED,
    **changes: Any,
) -> list[Judgement]:
    """Every event, by what was known on a day."""
    document = document.model_copy(update=changes)
    known = Figures.of(figures).known_on(DAY + timedelta(days=on))
    series = REPORTED_IMPACT.lay_out(known, document, areas=areas)
    return [
        REPORTED_IMPACT.judge(series, document, period=period, areas=areas)
        for period in REPORTED_IMPACT.events(series, document, changed=EVER)
    ]


def only(figures: Sequence[Figure], **options: Any) -> Judgement:
    (judgement,) = judged(figures, **options)
    return judgement


def october_2020() -> list[Figure]:
    return [
        report(row["area"], row["value"], day=(day - DAY).days, source=row["source"])
        for day, rows in flood_reports()
        for row in rows
    ]


def test_the_first_report_of_october_2020_fires() -> None:
    judgement = only(october_2020(), on=0)
    assert judgement.evidence["national_households"] == 24_156
    assert judgement.evidence["highest_report"] == {
        "source": "HRF",
        "reported_on": "2020-10-12",
        "households": 24_156,
    }
    assert (judgement.stage, judgement.severity) == (TriggerStage.ACTIVATION, Severity.SEVERE)
    assert judgement.areas == ("01", "02", "15", "19", "20", "24")


def test_october_2020_is_the_highest_report_and_not_the_sum_of_maxima() -> None:
    nationals = [
        only(october_2020(), on=on).evidence["national_households"] for on in (0, 2, 4, 7, 8)
    ]
    assert nationals == [
        24_156,
        38_890 + 18_365 + 7_034,
        38_890 + 18_365 + 8_538,
        66_088 + 22_178 + 15_622,
        66_088 + 22_178 + 15_622,
    ]
    last = only(october_2020())
    # NCDM named nineteen provinces on the last day without a figure: what HRF said stands.
    assert last.evidence["latest_reports"] == [
        {"source": "HRF", "reported_on": "2020-10-19", "households": 103_888}
    ]
    assert len(last.areas) == 19
    assert last.severity is Severity.EXTREME


def test_an_area_keeps_its_highest_figure() -> None:
    pursat = next(
        area for area in only(october_2020(), on=7).evidence["areas"] if area["area"] == "15"
    )
    assert (pursat["households"], pursat["reported_on"]) == (18_365, "2020-10-14")


def test_two_authorities_of_19_193_households_each_are_19_193() -> None:
    # September 2021: the total was published, the split is ours.
    split = [("01", 9_000), ("02", 8_000), ("15", 2_193)]
    judgement = only(
        [
            report(area, households, source=source)
            for source in ("HRF", "NCDM")
            for area, households in split
        ]
    )
    assert judgement.evidence["national_households"] == 19_193
    assert judgement.stage is TriggerStage.READINESS
    elsewhere = [report("02", 19_193), report("15", 19_193, source="NCDM")]
    assert only(elsewhere).stage is TriggerStage.READINESS


def test_water_that_moves_is_not_counted_in_both_places() -> None:
    moved = [report("02", 15_000), report("15", 15_000, day=5)]
    judgement = only(moved)
    assert judgement.evidence["national_households"] == 15_000
    assert judgement.stage is TriggerStage.READINESS
    listed_together = only([*moved, report("02", 15_000, day=5)])
    assert listed_together.evidence["national_households"] == 30_000
    said_as_total = only([*moved, report("KH", 28_000, day=5)])
    assert said_as_total.evidence["national_households"] == 28_000
    for fires in (listed_together, said_as_total):
        assert (fires.stage, fires.areas) == (TriggerStage.ACTIVATION, ("02", "15"))


def test_a_lower_later_report_takes_nothing_back_and_what_is_named_later_is_added() -> None:
    figures = [
        report("02", 24_000),
        report("02", 9_000, day=5),
        report("15", 2_000, day=5),
    ]
    judgement = only(figures)
    assert (judgement.stage, judgement.areas) == (TriggerStage.ACTIVATION, ("02", "15"))
    assert judgement.evidence["national_households"] == 24_000
    assert judgement.evidence["latest_reports"][0]["households"] == 11_000


def test_a_figure_that_is_published_again_is_replaced() -> None:
    figures = [report("02", 24_000), report("02", 2_400, published=3)]
    assert only(figures, on=2).stage is TriggerStage.ACTIVATION
    assert only(figures, on=3).stage is TriggerStage.NONE


def test_readiness_ends_when_the_latest_reports_fall() -> None:
    figures = [
        report("02", 12_000),
        report("02", 11_000, day=2, source="NCDM"),
        report("02", 9_000, day=4),
        report("02", 8_000, day=6, source="NCDM"),
    ]
    stages = [only(figures, on=on).stage for on in (0, 2, 4, 6)]
    assert stages == [TriggerStage.READINESS] * 3 + [TriggerStage.NONE]
    assert "The latest say 9000." in only(figures).finding
    assert "The latest" not in only(figures, on=0).finding


def test_a_report_without_any_figure_leaves_the_one_before_it() -> None:
    figures = [report("02", 12_000), report("02", None, day=3), report("15", None, day=3)]
    judgement = only(figures)
    assert judgement.stage is TriggerStage.READINESS
    assert judgement.evidence["latest_reports"][0]["households"] == 12_000


def test_an_area_named_without_a_figure() -> None:
    figures = [report("02", 30_000), report("24", None)]
    assert only(figures).areas == ("02", "24")
    ignoring = only(figures, unquantified="ignore")
    assert ignoring.areas == ("02",)
    assert ignoring.evidence["not_reached"] == [
        {"area": "24", "households": None, "because": "without-figure"}
    ]


def test_what_is_reported_and_not_reached_is_said_with_why() -> None:
    figures = [
        report("02", 19_500),
        report("24", 900),
        report("1501", None),
        report("08", 50_000),
        report("0203", 5),
    ]
    judgement = only(figures, areas=["02", "15", "24"], unquantified="ignore")
    assert judgement.evidence["national_households"] == 20_400
    assert (judgement.stage, judgement.areas) == (TriggerStage.ACTIVATION, ("02",))
    assert judgement.evidence["not_reached"] == [
        {"area": "08", "households": 50_000, "because": "outside-areas"},
        {"area": "1501", "households": None, "because": "without-figure"},
        {"area": "24", "households": 900, "because": "below-area-threshold"},
    ]
    assert (
        "Of 5 areas reported, 2 are reached (1 below the threshold for an area, "
        "1 outside of the trigger's areas, 1 named without a figure)."
    ) in judgement.finding


def test_a_total_that_names_no_area_prepares_and_enrols_nobody() -> None:
    judgement = only([report("KH", 67_995)])
    assert (judgement.stage, judgement.areas) == (TriggerStage.READINESS, ())
    assert "nobody can be enrolled" in judgement.finding
    assert judgement.evidence["not_reached"] == []
    named = only([report("KH", 67_995), report("12", None, day=1)])
    assert (named.stage, named.areas) == (TriggerStage.ACTIVATION, ("12",))


@pytest.mark.parametrize(
    ("figures", "total"),
    [
        ({"02": 10, "15": 5}, 15),
        ({"KH": 20, "02": 10, "15": 5}, 20),
        ({"KH": 12, "02": 10, "15": 5}, 15),
        ({"02": 10, "0201": 4, "020101": 3, "0202": 5}, 10),
        ({"02": 7, "0201": 4, "0202": 5}, 9),
        ({"02": None, "0201": 4, "020101": 6, "15": None}, 6),
        ({"02": 0}, 0),
        ({"02": None, "KH": None}, None),
    ],
)
def test_parents_are_never_added_to_their_children(
    figures: dict[str, int | None], total: int | None
) -> None:
    assert total_of(figures) == total


def test_places_of_an_area_are_added_and_its_whole_is_not_added_to_them() -> None:
    places = [report("02", 9_000, place="north"), report("02", 8_000, place="south")]
    assert only(places).evidence["national_households"] == 17_000
    whole = [*places, report("02", 18_000)]
    assert only(whole).evidence["national_households"] == 18_000


def test_a_long_silence_begins_another_event() -> None:
    figures = [report("02", 100, day=day) for day in (0, 30, 61)]
    first, second = (judgement.period for judgement in judged(figures))
    assert (first.first_on, first.last_on) == (DAY, DAY + timedelta(days=30))
    assert second.first_on == second.last_on == DAY + timedelta(days=61)


def test_reports_of_zero_do_not_keep_an_event_alive() -> None:
    figures = [
        report("02", 25_000),
        *(report("02", 0, day=day) for day in (10, 20, 30, 38)),
        report("02", 21_000, day=40),
    ]
    first, calm, second = judged(figures)
    assert first.period.last_on == DAY + timedelta(days=30)
    assert calm.stage is TriggerStage.NONE
    assert second.period.first_on == DAY + timedelta(days=40)
    series = REPORTED_IMPACT.lay_out(Figures.of(figures), SHIPPED, areas=COUNTRY)
    there, back = (
        REPORTED_IMPACT.continues(series, SHIPPED, period=period, earlier=earlier).order
        for period, earlier in ((second.period, first.period), (first.period, second.period))
    )
    assert (there, back) == (Order.LATER, Order.EARLIER)
    named = [*figures, report("24", None, day=20)]
    assert len(judged(named)) == 1


# As published: the day, the authority, and households of the whole or of areas.
FLOODS = {
    "2011": (350_000, TriggerStage.ACTIVATION, Severity.EXTREME),
    "2013": (418_770, TriggerStage.ACTIVATION, Severity.EXTREME),
    "2019": (89_046, TriggerStage.ACTIVATION, Severity.SEVERE),
    "2021": (19_193, TriggerStage.READINESS, Severity.SEVERE),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_the_national_totals_of_other_floods(flood: str) -> None:
    households, stage, severity = FLOODS[flood]
    judgement = only([report("KH", households), report("02", None)])
    assert (judgement.stage, judgement.severity) == (stage, severity)


figures_of_a_flood = st.lists(
    st.builds(
        report,
        st.sampled_from(["KH", "01", "02", "0203", "15"]),
        st.none() | st.integers(0, 40_000),
        day=st.integers(0, 20),
        source=st.sampled_from(["HRF", "NCDM"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda figure: (figure.area, figure.source, figure.observed_on),
)


@settings(max_examples=60, deadline=None)
@given(figures=figures_of_a_flood, without=st.integers(0, 11))
def test_more_reports_never_lower_the_highest_and_never_exceed_one_report(
    figures: list[Figure], without: int
) -> None:
    fewer = [figure for position, figure in enumerate(figures) if position != without]
    was = [judgement.evidence["national_households"] for judgement in judged(fewer)]
    now = [judgement.evidence["national_households"] for judgement in judged(figures)]
    assert max(now) >= max(was, default=0)
    reports: dict[tuple[str, date], int] = {}
    for figure in figures:
        key = figure.source, figure.observed_on
        reports[key] = reports.get(key, 0) + int(figure.value or 0)
    assert max(now) <= max(reports.values())
