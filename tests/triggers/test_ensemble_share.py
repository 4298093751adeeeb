"""Shares of ensembles: members, issues running, lead times, missing issues, by hand."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.triggers.methods.ensemble_share.document import EnsembleShare
from services.triggers.methods.ensemble_share.method import ENSEMBLE_SHARE
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Order
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.figures import day_of, judged

DAY = date(2022, 9, 20)
MEMBERS = 10


def document(**changes: Any) -> EnsembleShare:
    return EnsembleShare.model_validate(
        {
            "kind": "ensemble-share",
            "levels": {"Kratie": {"level": 100, "severe": 150, "extreme": 200}},
            "readiness": {"share": 0.3, "lead_days_from": 6, "lead_days_to": 10},
            "activation": {
                "share": 0.5,
                "issues_running": 2,
                "lead_days_from": 1,
                "lead_days_to": 5,
            },
            "rearm": {"quiet_days": 5, "after_days": 60, "below_share": 0.2},
            **changes,
        }
    )


def issue(
    above: int,
    *,
    lead: int,
    day: date = DAY,
    value: float = 100,
    members: int = MEMBERS,
    place: str = "Kratie",
    source: str = "GloFAS",
) -> list[Figure]:
    """What was forecast so many days before: so many members at a value, the rest below."""
    issued_on = day - timedelta(days=lead)
    return [
        Figure("10", place, source, day, issued_on, value if member < above else 50.0, member)
        for member in range(members)
    ]


def of_day(*issues: list[Figure], rule: EnsembleShare | None = None) -> Judgement:
    figures = [figure for each in issues for figure in each]
    return judged(figures, rule or document(), day_of(DAY), forecast=True)


NONE, READINESS, ACTIVATION = (
    TriggerStage.NONE,
    TriggerStage.READINESS,
    TriggerStage.ACTIVATION,
)


def test_a_stage_is_reached_at_its_share_and_its_lead_time() -> None:
    assert of_day(issue(2, lead=7)).stage is NONE
    assert of_day(issue(3, lead=7)).stage is READINESS
    assert of_day(issue(10, lead=11)).stage is NONE
    # Five days before is too late for readiness alone, and a first issue for activation.
    assert of_day(issue(5, lead=5)).stage is NONE
    assert of_day(issue(5, lead=5), issue(5, lead=4)).stage is ACTIVATION


def test_the_latest_issues_must_all_say_so() -> None:
    assert of_day(issue(9, lead=4), issue(9, lead=3), issue(4, lead=2)).stage is NONE
    assert of_day(issue(1, lead=4), issue(5, lead=3), issue(5, lead=2)).stage is ACTIVATION


def test_a_missing_issue_neither_counts_nor_breaks_the_run() -> None:
    assert of_day(issue(5, lead=4), issue(5, lead=2)).stage is ACTIVATION
    unsure = of_day(issue(5, lead=3))
    assert (unsure.stage, unsure.unjudged is not None) == (NONE, True)
    # Whether yesterday's missing issue said so decides, as the one before did not.
    assert of_day(issue(0, lead=5), issue(5, lead=3)).unjudged is not None
    assert of_day(issue(0, lead=4), issue(5, lead=3)).unjudged is None
    # The first issue that there can be is no run of two yet, and nothing is missing.
    first = of_day(issue(5, lead=5))
    assert (first.stage, first.unjudged) == (NONE, None)
    # An issue of too few members is missing.
    thin = of_day(issue(5, lead=4, members=9), issue(5, lead=3))
    assert thin.unjudged is not None


def test_the_latest_issue_speaks_for_a_stage_that_was_reached_before() -> None:
    assert of_day(issue(9, lead=7), issue(0, lead=6)).stage is NONE
    calm = of_day(issue(9, lead=7), issue(0, lead=5))
    assert (calm.stage, calm.unjudged) == (NONE, None)


def test_a_day_without_a_forecast_cannot_be_judged() -> None:
    judgement = of_day()
    assert (judgement.stage, judgement.evidence["probability"]) == (NONE, None)
    assert judgement.unjudged == "Kratie has no forecast of 2022-09-20 by 10 members."


def test_the_probability_of_each_lead_is_kept() -> None:
    evidence = of_day(issue(2, lead=7), issue(6, lead=3)).evidence
    assert evidence["probability"] == 0.6
    (place,) = evidence["places"]
    assert [(each["lead_days"], each["share"]) for each in place["issues"]] == [(7, 0.2), (3, 0.6)]


def test_with_two_places_the_probability_is_the_one_that_decides() -> None:
    rule = document(levels={"Kratie": {"level": 100}, "Pakse": {"level": 100}}, at_least_places=2)
    judgement = of_day(issue(6, lead=3), issue(4, lead=3, place="Pakse"), rule=rule)
    assert judgement.evidence["probability"] == 0.4


@pytest.mark.parametrize(
    ("value", "severity"),
    [(149, Severity.MODERATE), (150, Severity.SEVERE), (200, Severity.EXTREME)],
)
def test_severity_by_the_level_that_the_share_reaches(value: float, severity: Severity) -> None:
    assert of_day(issue(5, lead=4), issue(5, lead=3, value=value)).severity is severity


def test_members_of_two_sources_are_pooled_and_a_mean_is_no_member() -> None:
    mean = Figure("10", "Kratie", "GloFAS", DAY, DAY - timedelta(days=3), 999.0)
    judgement = of_day(issue(8, lead=3), issue(0, lead=3, source="MRC"), [mean])
    (each,) = judgement.evidence["places"][0]["issues"]
    assert (each["members"], each["share"]) == (20, 0.4)


def test_of_several_days_a_member_counts_by_its_highest() -> None:
    first, last = DAY, DAY + timedelta(days=1)
    issued_on = DAY - timedelta(days=3)
    figures = [
        Figure("10", "Kratie", "GloFAS", day, issued_on, 100.0 if high else 50.0, member)
        for member in range(MEMBERS)
        for day, high in ((first, member < 3), (last, member in (2, 3)))
    ]
    period = Period(first_on=first, last_on=last)
    assert judged(figures, document(), period, forecast=True).evidence["probability"] == 0.4


def test_a_later_issue_of_a_day_is_no_revision_of_an_earlier() -> None:
    known = Figures.of([*issue(5, lead=5), *issue(5, lead=4)], forecast=True)
    rule = document()
    assert judged(known.known_on(DAY - timedelta(days=5)), rule, day_of(DAY)).stage is NONE
    assert judged(known.known_on(DAY - timedelta(days=4)), rule, day_of(DAY)).stage is ACTIVATION


def test_a_flood_is_another_once_a_day_between_was_unlikely() -> None:
    def order(share_between: int | None) -> Order:
        between = DAY + timedelta(days=4)
        figures = issue(6, lead=3)
        if share_between is not None:
            figures = [*figures, *issue(share_between, lead=3, day=between)]
        series = ENSEMBLE_SHARE.lay_out(
            Figures.of(figures, forecast=True), document(), areas=["KH"]
        )
        return ENSEMBLE_SHARE.continues(
            series, document(), period=day_of(DAY + timedelta(days=9)), earlier=day_of(DAY)
        ).order

    assert order(1) is Order.LATER
    assert order(2) is Order.SAME
    assert order(None) is Order.SAME


@settings(max_examples=60, deadline=None)
@given(shares=st.lists(st.sampled_from([None, 0, 4, 5, 9]), min_size=1, max_size=5))
def test_what_is_missing_makes_the_difference_that_it_could(shares: list[int | None]) -> None:
    """By trying every value that the missing issues could have had."""

    def stage(filled: Sequence[int | None]) -> TriggerStage:
        rule = document(readiness=None)
        issues = [
            issue(share, lead=5 - step) for step, share in enumerate(filled) if share is not None
        ]
        return of_day(*issues, rule=rule).stage

    last = max((step for step, share in enumerate(shares) if share is not None), default=None)
    if last is None:
        return
    shares = shares[: last + 1]
    rule = document(readiness=None)
    judgement = of_day(
        *(issue(share, lead=5 - step) for step, share in enumerate(shares) if share is not None),
        rule=rule,
    )
    high = [9 if share is None else share for share in shares]
    if judgement.stage is NONE:
        assert (judgement.unjudged is not None) == (stage(high) is ACTIVATION)
    else:
        assert stage(high) is ACTIVATION


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": {"Kratie": {"level": 100, "severe": 50}}},
        {"readiness": {"share": 0.6, "lead_days_from": 1, "lead_days_to": 5}},
        {"activation": {"share": 0, "lead_days_from": 1, "lead_days_to": 5}},
        {"activation": {"share": 0.5, "lead_days_from": 5, "lead_days_to": 1}},
        {
            "activation": {
                "share": 0.5,
                "issues_running": 6,
                "lead_days_from": 1,
                "lead_days_to": 5,
            }
        },
        {"issued_every_days": 7},
        {"reaches": {"Pakse": ["19"]}},
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
