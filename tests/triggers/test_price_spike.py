"""The price rule: stages, severity, re-arming, and what it says on the real rice prices."""

from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.methods.price_spike.alps import Alps
from services.triggers.methods.price_spike.document import PriceSpike, PriceThresholds
from services.triggers.methods.price_spike.ifpa import Ifpa
from services.triggers.methods.price_spike.judgement import judge_price, why_rearmed
from services.triggers.methods.price_spike.series import (
    MonthlyPrices,
    NationalMonth,
    month_after,
    months_between,
    national_prices,
)
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.data import rice_medians


@pytest.fixture(scope="module")
def document() -> PriceSpike:
    shipped = TriggerDocument.model_validate(shipped_document("rice-price-spike")).legs[0].method
    assert isinstance(shipped, PriceSpike)
    return shipped


@pytest.fixture(scope="module")
def rice() -> MonthlyPrices:
    return national_prices(rice_medians(), minimum_markets=3)


def test_a_month_with_two_markets_stays_missing() -> None:
    months = [
        NationalMonth(month=date(2020, 1, 1), median=1.0, markets=3),
        NationalMonth(month=date(2020, 2, 1), median=2.0, markets=2),
        NationalMonth(month=date(2020, 4, 1), median=4.0, markets=5),
    ]
    values = national_prices(months, minimum_markets=3).values
    np.testing.assert_array_equal(values, [1.0, np.nan, np.nan, 4.0])


def test_months_count_over_the_turn_of_the_year() -> None:
    assert month_after(date(2020, 11, 1), months=3) == date(2021, 2, 1)
    assert month_after(date(2021, 2, 1), months=-3) == date(2020, 11, 1)
    assert months_between(date(2020, 11, 30), date(2021, 2, 1)) == 3


def fired_months(rice: MonthlyPrices, document: PriceSpike) -> list[date]:
    months = [month_after(rice.first_month, months=step) for step in range(len(rice.values))]
    return [
        month
        for month in months
        if judge_price(rice, month, document=document).stage is TriggerStage.ACTIVATION
    ]


def test_real_rice_prices_reach_activation_in_these_months(
    rice: MonthlyPrices, document: PriceSpike
) -> None:
    assert fired_months(rice, document) == [
        date(2023, 1, 1),
        date(2023, 2, 1),
        date(2023, 6, 1),
        *(date(2023, month, 1) for month in range(8, 13)),
        *(date(2024, month, 1) for month in range(1, 8)),
    ]


def test_real_rice_prices_open_two_activations(rice: MonthlyPrices, document: PriceSpike) -> None:
    opened: list[date] = []
    for month in fired_months(rice, document):
        if not opened or why_rearmed(rice, fired=opened[-1], month=month, document=document):
            opened.append(month)
    assert opened == [date(2023, 1, 1), date(2023, 8, 1)]


def test_january_2023_by_its_numbers(rice: MonthlyPrices, document: PriceSpike) -> None:
    judgement = judge_price(rice, date(2023, 1, 1), document=document)
    assert isinstance(judgement.alps, Alps)
    assert isinstance(judgement.ifpa, Ifpa)
    assert judgement.alps.price == pytest.approx(0.495)
    assert judgement.alps.value == pytest.approx(1.917, abs=0.001)
    assert judgement.ifpa.value == pytest.approx(2.075, abs=0.001)
    assert judgement.ifpa.year.earlier_years == 3
    assert judgement.severity is Severity.SEVERE


def test_both_and_either(rice: MonthlyPrices, document: PriceSpike) -> None:
    # October 2022: ALPS is 2.84, and IFPA cannot be judged yet.
    month = date(2022, 10, 1)
    assert judge_price(rice, month, document=document).stage is TriggerStage.NONE
    either = document.model_copy(
        update={"activation": PriceThresholds(alps=1.0, ifpa=0.5, require="either")}
    )
    assert judge_price(rice, month, document=either).stage is TriggerStage.ACTIVATION


def test_readiness_comes_before_activation(rice: MonthlyPrices, document: PriceSpike) -> None:
    judgement = judge_price(rice, date(2023, 7, 1), document=document)
    assert judgement.stage is TriggerStage.READINESS


def test_the_quiet_months_hold_even_after_the_price_fell(
    rice: MonthlyPrices, document: PriceSpike
) -> None:
    # ALPS fell to −0.36 in April 2023, yet June is within seven months of January's activation.
    january = date(2023, 1, 1)
    assert why_rearmed(rice, fired=january, month=date(2023, 6, 1), document=document) is None
    reason = why_rearmed(rice, fired=january, month=date(2023, 8, 1), document=document)
    assert reason is not None
    assert "2023-04" in reason


def test_a_price_that_stays_high_is_quiet_until_the_months_have_passed(
    rice: MonthlyPrices, document: PriceSpike
) -> None:
    august = date(2023, 8, 1)
    assert why_rearmed(rice, fired=august, month=date(2024, 7, 1), document=document) is None
    assert why_rearmed(rice, fired=august, month=date(2024, 8, 1), document=document) is not None
    assert why_rearmed(rice, fired=august, month=date(2023, 5, 1), document=document) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("minimum_markets",), 2),
        (("minimum_history_months",), 35),
        (("minimum_earlier_years",), 2),
        (("readiness", "alps"), 1.5),
        (("activation", "require"), "any"),
        (("rearm", "after_months"), 3),
        (("kind",), "price"),
        (("unknown",), 1),
    ],
)
def test_a_document_outside_of_the_method_is_refused(path: tuple[str, ...], value: object) -> None:
    content = shipped_document("rice-price-spike")
    part = content["legs"][0]["method"]
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(ValidationError):
        TriggerDocument.model_validate(content)
