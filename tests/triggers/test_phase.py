"""Food-security phases: a level, a rise, and what was before."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from services.triggers.methods.figures import Figure
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.phase.document import FoodSecurityPhase
from services.triggers.methods.phase.indicator import FOOD_SECURITY_PHASE
from services.triggers.methods.phase.method import PHASE
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.observations.schemas import ObservationIn
from tests.triggers.judging import days_after, judged_on

BEFORE, DAY = date(2023, 3, 1), date(2023, 9, 1)
EXAMPLE: dict[str, Any] = FoodSecurityPhase.model_json_schema()["examples"][0]
DOCUMENT = FoodSecurityPhase.model_validate(EXAMPLE)
NONE, READINESS, ACTIVATION = TriggerStage.NONE, TriggerStage.READINESS, TriggerStage.ACTIVATION


def classified(
    phase: int | None,
    *,
    day: date = DAY,
    area: str = "02",
    source: str = "IPC",
    share: float | None = 0.25,
) -> Figure:
    return Figure(
        area=area,
        place=None,
        source=source,
        observed_on=day,
        published_on=day,
        value=phase,
        details=None if share is None else {"population_share": share},
    )


def on_day(figures: Sequence[Figure], **changes: Any) -> Judgement:
    document = DOCUMENT.model_copy(update=changes)
    return judged_on(PHASE, document, figures, DAY)


@pytest.mark.parametrize(
    ("before", "now", "stage"),
    [
        (2, 3, ACTIVATION),
        (1, 4, ACTIVATION),
        (3, 3, READINESS),
        (4, 3, READINESS),
        (1, 2, NONE),
        (2, 2, NONE),
    ],
)
def test_a_level_prepares_and_a_rise_above_it_activates(
    before: int, now: int, stage: TriggerStage
) -> None:
    judgement = on_day([classified(before, day=BEFORE), classified(now)])
    assert judgement.stage is stage
    assert judgement.areas == (() if stage is NONE else ("02",))
    assert judgement.evidence["areas"][0]["rise"] == now - before


def test_the_rise_is_of_the_same_area_and_the_same_authority() -> None:
    elsewhere = [classified(1, day=BEFORE, area="15"), classified(3)]
    another = [classified(1, day=BEFORE, source="FEWS NET"), classified(3)]
    for figures in (elsewhere, another):
        assert on_day(figures).stage is READINESS
    either = [*another, classified(2, source="FEWS NET")]
    assert on_day(either).stage is READINESS
    assert on_day([*another, classified(3, source="FEWS NET")]).stage is ACTIVATION


def test_where_nothing_says_what_was_before_a_rise_is_not_judged() -> None:
    no_readiness = {"readiness": None}
    judgement = on_day([classified(4)], **no_readiness)
    assert judgement.stage is NONE
    assert judgement.unjudged == "A phase is high enough, and nothing says what it was before."
    assert "Of 1, nothing says what the phase was before." in judgement.finding
    assert on_day([classified(2)], **no_readiness).unjudged is None
    too_old = classified(1, day=days_after(DAY, -401))
    assert on_day([too_old, classified(4)], **no_readiness).unjudged is not None
    old_enough = classified(1, day=days_after(DAY, -400))
    assert on_day([old_enough, classified(4)], **no_readiness).stage is ACTIVATION
    not_classified = classified(None, day=BEFORE)
    assert on_day([not_classified, classified(4)], **no_readiness).unjudged is not None
    assert on_day([]).unjudged == "No area was classified in this time."


def test_a_share_of_the_people_may_be_asked_and_an_unknown_one_does_not_reach_it() -> None:
    before = classified(2, day=BEFORE)
    stages = [on_day([before, classified(3, share=share)]).stage for share in (0.2, 0.19, None)]
    assert stages == [ACTIVATION, READINESS, READINESS]


def test_severity_is_by_the_worst_phase_of_the_areas_that_reach_the_stage() -> None:
    before = [classified(2, day=BEFORE), classified(4, day=BEFORE, area="15")]
    for phase, severity in ((3, Severity.MODERATE), (4, Severity.SEVERE), (5, Severity.EXTREME)):
        judgement = on_day([*before, classified(phase), classified(4, area="15")])
        assert (judgement.severity, judgement.areas) == (severity, ("02",))


def test_readiness_is_never_harder_to_reach_than_activation() -> None:
    for readiness in ({"phase": 4}, {"phase": 3, "rise": 2}, {"phase": 3, "population_share": 1}):
        with pytest.raises(ValidationError, match="must not lie above"):
            FoodSecurityPhase.model_validate({**EXAMPLE, "readiness": readiness})


def test_a_row_is_a_phase_from_1_to_5() -> None:
    for value, faults in ((None, 0), (1, 0), (5, 0), (0, 1), (6, 1), (Decimal("2.5"), 1)):
        row = ObservationIn.model_validate(
            {
                "area": "02",
                "source": "IPC",
                "observed_on": "2023-09-01",
                "published_on": "2023-09-01",
                "value": value,
            }
        )
        assert len(FOOD_SECURITY_PHASE.faults_of(row)) == faults
