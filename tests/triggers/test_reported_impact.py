"""The rule for reported households, on small cases and on the reports of October 2020."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.judgement import judge_impact
from services.triggers.methods.reported_impact.series import Report, events_of
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.data import flood_reports

DAY = date(2020, 10, 12)


@pytest.fixture(scope="module")
def document() -> ReportedImpact:
    shipped = (
        TriggerDocument.model_validate(shipped_document("flood-reported-impact")).legs[0].method
    )
    assert isinstance(shipped, ReportedImpact)
    return shipped


def report(area: str, households: int | None, *, day: date = DAY, source: str = "HRF") -> Report:
    return Report(
        area=area, source=source, reported_on=day, published_on=day, households=households
    )


def october_2020(*, until: date) -> list[Report]:
    return [
        report(row["area"], row["value"], day=day, source=row["source"])
        for day, rows in flood_reports()
        for row in rows
        if day <= until
    ]


def test_the_first_report_of_october_2020_fires(document: ReportedImpact) -> None:
    (event,) = events_of(october_2020(until=DAY), document=document)
    judgement = judge_impact(event, document=document)
    assert judgement.national_households == 24_156
    assert judgement.stage is TriggerStage.ACTIVATION
    assert judgement.areas == ("01", "02", "15", "19", "20", "24")


def test_september_2021_does_not_fire(document: ReportedImpact) -> None:
    # 19,193 households in three provinces: the total was published, the split is ours.
    reports = [report("01", 9_000), report("02", 8_000), report("15", 2_193)]
    (event,) = events_of(reports, document=document)
    judgement = judge_impact(event, document=document)
    assert judgement.national_households == 19_193
    assert judgement.stage is TriggerStage.READINESS


def test_a_falling_figure_takes_nothing_back(document: ReportedImpact) -> None:
    (event,) = events_of(october_2020(until=date(2020, 10, 19)), document=document)
    pursat = next(
        each.report
        for each in judge_impact(event, document=document).figures
        if each.report.area == "15"
    )
    assert (pursat.households, pursat.reported_on) == (18_365, date(2020, 10, 14))


def test_october_2020_ends_with_nineteen_provinces(document: ReportedImpact) -> None:
    (event,) = events_of(october_2020(until=date(2020, 10, 20)), document=document)
    judgement = judge_impact(event, document=document)
    assert len(judgement.areas) == 19
    assert judgement.national_households == 66_088 + 22_178 + 18_365
    assert judgement.severity is Severity.EXTREME


def test_two_authorities_are_not_added_up(document: ReportedImpact) -> None:
    (event,) = events_of(
        [report("02", 12_000), report("02", 15_000, source="NCDM")], document=document
    )
    assert judge_impact(event, document=document).national_households == 15_000


def test_an_area_named_without_a_figure(document: ReportedImpact) -> None:
    (event,) = events_of([report("02", 30_000), report("24", None)], document=document)
    assert judge_impact(event, document=document).areas == ("02", "24")
    ignoring = document.model_copy(update={"unquantified": "ignore"})
    assert judge_impact(event, document=ignoring).areas == ("02",)


def test_a_figure_below_the_area_threshold_counts_and_is_not_taken_in(
    document: ReportedImpact,
) -> None:
    (event,) = events_of([report("02", 19_500), report("24", 900)], document=document)
    judgement = judge_impact(event, document=document)
    assert judgement.national_households == 20_400
    assert judgement.stage is TriggerStage.ACTIVATION
    assert judgement.areas == ("02",)


def test_a_long_silence_begins_another_event(document: ReportedImpact) -> None:
    days = [DAY, DAY + timedelta(days=30), DAY + timedelta(days=61)]
    events = events_of([report("02", 100, day=day) for day in days], document=document)
    assert [(event.first_on, event.last_on) for event in events] == [
        (days[0], days[1]),
        (days[2], days[2]),
    ]


reports = st.lists(
    st.builds(
        report,
        st.sampled_from(["01", "02", "15", "24"]),
        st.none() | st.integers(0, 40_000),
        day=st.integers(0, 20).map(lambda days: DAY + timedelta(days=days)),
        source=st.sampled_from(["HRF", "NCDM"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=80, deadline=None)
@given(earlier=reports, later=reports)
def test_more_reports_never_lower_a_figure_or_the_total(
    earlier: list[Report], later: list[Report]
) -> None:
    shipped = (
        TriggerDocument.model_validate(shipped_document("flood-reported-impact")).legs[0].method
    )
    assert isinstance(shipped, ReportedImpact)
    (before,) = events_of(earlier, document=shipped)
    (after,) = events_of(earlier + later, document=shipped)
    was, now = judge_impact(before, document=shipped), judge_impact(after, document=shipped)
    assert now.national_households >= was.national_households
    highest = {each.report.area: each.report.households or 0 for each in now.figures}
    for each in was.figures:
        assert highest[each.report.area] >= (each.report.households or 0)
