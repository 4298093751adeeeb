"""What is doubtful of figures: pure, on the real prices of two shocks, and with planted faults."""

import csv
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from math import log
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.methods.registry import indicator_kinds
from services.triggers.quality.doubt import Doubt, DoubtReason
from services.triggers.quality.expectations import (
    DISCHARGES,
    HOUSEHOLDS,
    PRICES,
    STAGES,
    Expectations,
)
from services.triggers.quality.figure import PostedFigure
from services.triggers.quality.reporting import Every, Reporter, reporting_of
from services.triggers.quality.screening import doubts_about, doubts_beside, is_old
from services.triggers.quality.slips import times
from services.triggers.quality.units import brought_into, unit_of
from tests.triggers.data import DATA, published_in

FIRST = date(2022, 3, 1)
LAST = date(2024, 12, 1)
CHANGES = {
    DoubtReason.RIEL_FOR_DOLLARS: (4_100.0, 1 / 4_100),
    DoubtReason.DECIMAL_SLIP: (10.0, 100.0, 1_000.0, 0.1, 0.01),
    DoubtReason.PACKAGE_SLIP: (5.0, 25.0, 50.0, 0.2),
}
"""What is planted."""


def rice() -> list[PostedFigure]:
    with (DATA / "wfp_rice_wholesale.csv").open() as file:
        return [
            PostedFigure(
                area=row["province_code"],
                place=row["market"],
                source="WFP",
                observed_on=(month := date.fromisoformat(f"{row['month']}-01")),
                published_on=published_in(month),
                value=float(row["usdprice"]),
            )
            for row in csv.DictReader(file)
        ]


RICE = rice()


def months(first: date = FIRST, last: date = LAST) -> list[date]:
    return sorted({figure.observed_on for figure in RICE if first <= figure.observed_on <= last})


class Told(NamedTuple):
    """A figure, what was planted in it, and what was found."""

    figure: PostedFigure
    planted: DoubtReason | None
    found: DoubtReason | None


def month_by_month(faults: random.Random | None = None, *, share: float = 0.15) -> list[Told]:
    """Post each month on its day, as a feed does, some of it wrong; what was doubtful of it."""
    known = [figure for figure in RICE if figure.observed_on < FIRST]
    told: list[Told] = []
    for month in months():
        batch, planted = [], []
        for figure in (figure for figure in RICE if figure.observed_on == month):
            reason = None
            assert figure.value is not None
            if faults is not None and faults.random() < share:
                reason = faults.choice(list(CHANGES))
                value = figure.value * faults.choice(CHANGES[reason])
                figure = figure._replace(value=round(value, 6))
            batch.append(figure)
            planted.append(reason)
        recent = [figure for figure in known if month - figure.observed_on < timedelta(days=400)]
        doubts = doubts_about(batch, recent, expects=PRICES)
        found = [doubts[i].reason if i in doubts else None for i in range(len(batch))]
        told += map(Told, batch, planted, found)
        known += [figure for figure, reason in zip(batch, found, strict=True) if reason is None]
    return told


def test_of_the_real_prices_of_two_shocks_nothing_is_set_aside() -> None:
    told = month_by_month()
    assert len(told) > 500
    assert [each for each in told if each.found] == []
    # Nor of all at once, as a history is loaded.
    assert doubts_about(RICE, [], expects=PRICES) == {}


@pytest.mark.parametrize(("seed", "size"), [(1, 40), (6, 40), (8, 500)])
def test_of_a_history_that_comes_in_any_order_nothing_is_set_aside(seed: int, size: int) -> None:
    # What is set aside is not known when a month is judged: then the order would decide.
    until = date(2023, 10, 1)
    rows = [figure for figure in RICE if figure.observed_on < until]
    random.Random(seed).shuffle(rows)
    for first in range(0, len(rows), size):
        found = doubts_about(rows[first : first + size], rows[:first], expects=PRICES)
        assert found == {}


def test_of_planted_faults_nearly_all_are_caught_and_nothing_else() -> None:
    told = [each for seed in range(2) for each in month_by_month(random.Random(seed))]
    planted = [each for each in told if each.planted]
    caught = [each for each in planted if each.found]
    doubted = [each for each in told if each.found]
    assert len(planted) > 150
    assert len(caught) / len(planted) >= 0.99  # recall
    assert len(caught) / len(doubted) >= 0.99  # precision
    named = Counter((each.planted, each.found) for each in caught)
    right = sum(count for (plant, found), count in named.items() if plant is found)
    assert right / len(caught) >= 0.95, named


def test_of_planted_faults_in_a_history_that_is_loaded_at_once_nearly_all_are_caught() -> None:
    faults = random.Random(7)
    planted, history = set(), []
    for position, figure in enumerate(RICE):
        assert figure.value is not None
        if faults.random() < 0.05:
            planted.add(position)
            factor = faults.choice([factor for factors in CHANGES.values() for factor in factors])
            figure = figure._replace(value=round(figure.value * factor, 6))
        history.append(figure)
    found = doubts_about(history, [], expects=PRICES).keys()
    assert len(found & planted) / len(planted) >= 0.95
    assert len(found & planted) / len(found) >= 0.95


@pytest.mark.parametrize("factor", [4_100, 10, 5])
def test_what_all_markets_typed_alike_is_doubtful_all_the_same(factor: float) -> None:
    (month,) = months(date(2023, 5, 1), date(2023, 5, 1))
    known = [figure for figure in RICE if figure.observed_on < month]
    batch = [
        figure._replace(value=(figure.value or 0) * factor)
        for figure in RICE
        if figure.observed_on == month
    ]
    # All but one, whose price would have fallen by a third in the month.
    assert len(doubts_about(batch, known, expects=PRICES)) >= len(batch) - 1


def test_a_shock_in_several_places_is_not_doubtful_and_in_one_alone_it_is() -> None:
    (month,) = months(date(2023, 5, 1), date(2023, 5, 1))
    known = [figure for figure in RICE if figure.observed_on < month]
    batch = [figure for figure in RICE if figure.observed_on == month]

    def risen(count: int) -> dict[int, DoubtReason]:
        rows = [
            figure._replace(value=(figure.value or 0) * (2.6 if position < count else 1))
            for position, figure in enumerate(batch)
        ]
        found = doubts_about(rows, known, expects=PRICES)
        return {position: doubt.reason for position, doubt in found.items()}

    assert risen(1) == {0: DoubtReason.OUTLIER}
    assert risen(4) == {}
    assert risen(len(batch)) == {}


def figures(values: list[float | None], **changes: Any) -> list[PostedFigure]:
    """One place, a value a day."""
    first = date(2020, 1, 1)
    return [
        PostedFigure(
            area="10",
            place="Kratie",
            source="MOWRAM",
            observed_on=first + timedelta(days=day),
            published_on=first + timedelta(days=day),
            value=value,
        )._replace(**changes)
        for day, value in enumerate(values)
    ]


@given(st.randoms(use_true_random=False), st.integers(0, 40), st.sampled_from([0.001, 10, 4_100]))
@settings(max_examples=5, deadline=None)
def test_the_order_of_a_batch_decides_nothing(
    order: random.Random, wrong: int, factor: float
) -> None:
    start = date(2021, 1, 1)
    batch = [figure for figure in RICE if start <= figure.observed_on < date(2021, 9, 1)]
    batch[wrong] = batch[wrong]._replace(value=(batch[wrong].value or 0) * factor)
    expected = {batch[at]: doubt for at, doubt in doubts_about(batch, [], expects=PRICES).items()}
    assert batch[wrong] in expected
    mixed = order.sample(batch, len(batch))
    again = doubts_about(mixed, [], expects=PRICES)
    assert {mixed[at]: doubt for at, doubt in again.items()} == expected


@given(st.randoms(use_true_random=False))
@settings(max_examples=5, deadline=None)
def test_what_is_recorded_until_a_cut_is_screened_alike_in_any_order_and_batches(
    order: random.Random,
) -> None:
    start = date(2021, 1, 1)
    rows = [figure for figure in RICE if start <= figure.observed_on < date(2021, 9, 1)]
    known = [figure for figure in RICE if date(2020, 1, 1) <= figure.observed_on < start]
    for at, factor in ((3, 4_100), (20, 10), (40, 5), (60, 0.01), (61, 1.1), (62, 0.9)):
        # Some wrong beside what they contradict, some alone.
        wrong = rows[at]._replace(value=round((rows[at].value or 0) * factor, 6))
        rows = [*rows, wrong] if at % 2 else [*rows[:at], wrong, *rows[at + 1 :]]

    def screened(batches: list[list[PostedFigure]]) -> dict[PostedFigure, Doubt]:
        """What is set aside of everything that came in these batches."""
        came = [figure for batch in batches for figure in batch]
        mixed = order.sample(known, len(known))
        doubts = doubts_beside(came, mixed, expects=PRICES)
        return {came[at]: doubt for at, doubt in doubts.posted.items()}

    expected = screened([rows])
    assert {doubt.reason for doubt in expected.values()} >= {
        DoubtReason.CONTRADICTION,
        DoubtReason.DECIMAL_SLIP,
        DoubtReason.PACKAGE_SLIP,
    }
    # Of two that contradict each other the smaller stays.
    assert rows[61] not in expected
    assert rows[-1] in expected
    mixed = order.sample(rows, len(rows))
    cuts = sorted(order.sample(range(len(rows)), 4))
    batches = [mixed[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    order.shuffle(batches)
    assert screened(batches) == expected


POSTED = st.builds(
    PostedFigure,
    area=st.sampled_from(["KH", "02", "0201", "020101", "02010101"]),
    place=st.sampled_from([None, "Leu", "Orussey"]),
    source=st.sampled_from(["WFP", "NIS"]),
    observed_on=st.dates(),
    published_on=st.dates(),
    value=st.none() | st.floats(-1e12, 1e12, allow_nan=False),
)


@given(
    st.lists(POSTED, max_size=6),
    st.lists(POSTED, max_size=6),
    st.sampled_from([PRICES, HOUSEHOLDS, STAGES, DISCHARGES, Expectations()]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_whatever_is_posted_is_answered(
    posted: list[PostedFigure], known: list[PostedFigure], expects: Expectations, forecast: bool
) -> None:
    doubts = doubts_about(posted, known, expects=expects, forecast=forecast)
    assert all(0 <= position < len(posted) and doubt.says for position, doubt in doubts.items())


@given(st.lists(st.floats(1, 1.2), min_size=8, max_size=30))
@settings(max_examples=30, deadline=None)
def test_a_series_that_moves_by_a_fifth_is_never_doubtful(values: list[float]) -> None:
    assert doubts_about(figures(list(values)), [], expects=PRICES) == {}


def test_a_figure_that_a_person_released_is_the_ground_for_the_next() -> None:
    level = figures([0.5, 0.51, 0.5, 0.49, 0.5, 0.51, 0.5, 5.0, 5.1])
    known, next_one = level[:-1], level[-1:]
    assert doubts_about(level[-2:-1], level[:-2], expects=PRICES)
    assert doubts_about(next_one, known, expects=PRICES) == {}


@pytest.mark.parametrize(
    ("figure", "expects", "reason"),
    [
        ({"value": 80}, STAGES, DoubtReason.OUT_OF_BOUNDS),
        ({"value": -11}, STAGES, DoubtReason.OUT_OF_BOUNDS),
        ({"value": 35}, STAGES, None),
        ({"value": 800_001}, HOUSEHOLDS, DoubtReason.OUT_OF_BOUNDS),
        ({"value": 800_000}, HOUSEHOLDS, None),
        ({"area": "KH", "value": 800_001}, HOUSEHOLDS, None),
        ({"area": "100101", "value": 60_001}, HOUSEHOLDS, DoubtReason.OUT_OF_BOUNDS),
        ({"value": None}, HOUSEHOLDS, None),
        ({"observed_on": date(1820, 1, 1)}, HOUSEHOLDS, DoubtReason.DAY_ABSURD),
        ({"observed_on": date(2202, 1, 1)}, HOUSEHOLDS, DoubtReason.DAY_ABSURD),
        ({"observed_on": date(2020, 6, 1)}, HOUSEHOLDS, None),
    ],
)
def test_absurd_numbers_and_days(
    figure: dict[str, Any], expects: Expectations, reason: DoubtReason | None
) -> None:
    posted = figures([10], **figure)
    for forecast in (True, False):
        found = doubts_about(posted, [], expects=expects, forecast=forecast)
        assert [doubt.reason for doubt in found.values()] == ([reason] if reason else [])


def test_a_gauge_that_hangs_is_doubtful_and_one_that_rests_at_zero_is_not() -> None:
    hanging = figures([5.1, *[5.2] * 12, 5.3])
    doubts = doubts_about(hanging, [], expects=STAGES)
    assert {at: doubt.reason for at, doubt in doubts.items()} == dict.fromkeys(
        range(10, 13), DoubtReason.STUCK
    )
    # What is known counts on, and a day on which nothing is said does not break a run.
    assert doubts_about(hanging[10:11], hanging[:10], expects=STAGES).keys() == {0}
    assert doubts_about(hanging[9:10], hanging[:9], expects=STAGES) == {}
    assert doubts_about(figures([0] * 20), [], expects=STAGES) == {}


def test_a_flood_that_rises_fast_is_not_doubtful() -> None:
    assert (
        doubts_about(figures([2, 2.1, 2.0, 2.1, 2.0, 2.1, 2.0, 7.5, 11]), [], expects=STAGES) == {}
    )
    reports = figures([0, 0, 10, 0, 12, 0, 10, 9_000, 31_000])
    assert doubts_about(reports, [], expects=HOUSEHOLDS) == {}


@given(
    st.lists(st.tuples(st.sampled_from([4.0, 40.0, 41.0, None]), st.integers(1, 2)), max_size=6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_of_figures_that_contradict_each_other_the_smaller_stays_however_they_came(
    said: list[tuple[float | None, int]], order: random.Random
) -> None:
    day = date(2020, 1, 1)
    rows = [PostedFigure("01", None, "HRF", day, day, value, issue=issue) for value, issue in said]
    smallest = {
        issue: min((value for value, of in said if of == issue and value is not None), default=None)
        for _, issue in said
    }
    for _ in range(3):
        waiting = order.sample(rows, len(rows))
        known: list[PostedFigure] = []
        aside: list[PostedFigure] = []
        while waiting:
            cut = order.randint(1, len(waiting))
            came, waiting = waiting[:cut], waiting[cut:]
            found = doubts_beside(came, known, expects=HOUSEHOLDS)
            aside += [came[at] for at in found.posted] + [known[at] for at in found.known]
            known = [
                *(figure for at, figure in enumerate(known) if at not in found.known),
                *(figure for at, figure in enumerate(came) if at not in found.posted),
            ]
        assert all(each.value in (None, smallest[each.issue]) for each in known)
        assert sorted(each.value or 0 for each in aside) == sorted(
            value for value, issue in said if value is not None and value != smallest[issue]
        )


def test_what_a_person_vouched_for_stays_and_a_slip_sets_no_sound_figure_aside() -> None:
    said = figures([40])
    smaller = [said[0]._replace(value=4)]
    beside = doubts_beside(smaller, said, expects=HOUSEHOLDS, vouched={0})
    assert (list(beside.posted), list(beside.known)) == ([0], [])
    assert doubts_beside(smaller, said, expects=HOUSEHOLDS).known.keys() == {0}
    history = [figure for figure in RICE if figure.observed_on < date(2021, 1, 1)]
    sound = history.pop()
    slip = sound._replace(value=(sound.value or 0) / 100)
    beside = doubts_beside([slip], [*history, sound], expects=PRICES)
    assert beside.known == {}
    assert beside.posted[0].reason is DoubtReason.DECIMAL_SLIP


def test_another_value_of_the_same_day_contradicts_and_a_later_one_corrects() -> None:
    said = figures([100])
    other = [said[0]._replace(value=120)]
    (doubt,) = doubts_about(other, said, expects=HOUSEHOLDS).values()
    assert doubt.reason is DoubtReason.CONTRADICTION
    assert "100" in doubt.says
    assert "120" in doubt.says
    assert doubts_about([*said, *other], [], expects=HOUSEHOLDS).keys() == {1}
    corrections: list[dict[str, Any]] = [
        {"issue": 2},
        {"published_on": date(2020, 1, 2)},
        {"source": "HRF"},
        {"member": 3},
        {"value": 100},
        {"value": None},
    ]
    for change in corrections:
        assert doubts_about([other[0]._replace(**change)], said, expects=HOUSEHOLDS) == {}
    assert doubts_about(said, [said[0]._replace(value=None)], expects=HOUSEHOLDS) == {}


def test_an_old_figure_is_told_and_not_doubted() -> None:
    old = figures([10], observed_on=date(2019, 1, 1))
    assert doubts_about(old, [], expects=HOUSEHOLDS) == {}
    assert is_old(old[0], expects=HOUSEHOLDS)
    assert not is_old(figures([10])[0], expects=HOUSEHOLDS)
    assert not is_old(old[0], expects=Expectations())


@pytest.mark.parametrize(
    ("said", "unit", "value", "expected"),
    [
        ("5 L", "USD/L", "10", "2"),
        ("USD/5 L", "USD/L", "10", "2"),
        ("50 KG", "USD/KG", "25", "0.5"),
        ("730 ML", "USD/L", "1.46", "2"),
        ("10 pcs", "USD/pcs", "1.3", "0.13"),
        ("L", "USD/5 L", "2", "10"),
        ("kg", "USD/KG", "0.5", "0.5"),
        ("MT", "USD/KG", "480", "0.48"),
        ("USD / KG", "USD/KG", "0.5", "0.5"),
        ("5 L", "L", "3", "15"),
        ("USD/500 G", "USD/KG", "0.24", "0.48"),
        ("cm", "metres", "1050", "10.5"),
        ("ft", "metres", "10", "3.048"),
        ("in", "mm", "2", "50.8"),
        ("cm", "mm", "2.5", "25"),
        ("mm", "cm", "25", "2.5"),
        ("m3/s", "m³/s", "41000", "41000"),
        ("cfs", "m3/s", "1000", "28.316847"),
        ("l/s", "m3/s", "2500", "2.5"),
        ("m", "m3/s", "1", None),
        ("cm", "households", "1", None),
        ("999999 MT", "mg", "999999999999", None),
        ("KHR/KG", "USD/KG", "2000", None),
        ("KHR/50 KG", "KHR/KG", "100000", "2000"),
        ("L", "USD/KG", "1", None),
        ("persons", "households", "4", None),
        ("households", "households", "4", "4"),
        ("0 KG", "USD/KG", "1", None),
        ("a sack", "USD/KG", "1", None),
    ],
)
def test_units_are_brought_into_the_indicators_or_kept_apart(
    said: str, unit: str, value: str, expected: str | None
) -> None:
    brought = brought_into(Decimal(value), said=said, unit=unit)
    assert brought == (None if expected is None else Decimal(expected))


@given(st.text(max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_text_is_a_unit_or_is_none(text: str) -> None:
    unit = unit_of(text)
    assert unit is None or unit.quantity > 0


@given(st.decimals(1, 10_000, places=2), st.integers(1, 500))
@settings(max_examples=25, deadline=None)
def test_a_package_costs_its_pieces(price: Decimal, size: int) -> None:
    brought = brought_into(price * size, said=f"{size} L", unit="USD/L")
    assert brought == price


def test_who_reports_who_is_silent_and_what_is_missing() -> None:
    leu, orussey, closed = Reporter("02", "Leu"), Reporter("12", "Orussey"), Reporter("03", "Old")
    reported = [
        *((leu, date(2023, month, 1)) for month in range(1, 13)),
        *((orussey, date(2023, month, 1)) for month in (1, 2, 5, 6, 7, 9, 10, 11)),
        (closed, date(2022, 6, 1)),
    ]
    found = reporting_of(reported, today=date(2024, 3, 10))
    assert (found.every, found.last_on) == (Every.MONTH, date(2023, 12, 1))
    assert (found.expected, found.reporting, found.silent) == (2, 1, (orussey,))
    assert [(gap.reporter, gap.first_on, gap.last_on, gap.periods) for gap in found.gaps] == [
        (orussey, date(2023, 3, 1), date(2023, 4, 1), 2),
        (orussey, date(2023, 8, 1), date(2023, 8, 1), 1),
        (orussey, date(2023, 12, 1), date(2023, 12, 1), 1),
    ]
    # January and February of 2024 are over, and nobody said anything.
    assert found.periods_without_any == 2


def test_gaps_are_told_by_days_and_dekads_and_not_of_events() -> None:
    gauge = Reporter("10", "Kratie")
    days = [(gauge, date(2023, 9, day)) for day in (1, 2, 3, 5, 6)]
    daily = reporting_of(days, today=date(2023, 9, 9))
    assert (daily.every, daily.periods_without_any) == (Every.DAY, 2)
    assert [(gap.first_on, gap.periods) for gap in daily.gaps] == [(date(2023, 9, 4), 1)]
    dekads = [(gauge, date(2023, month, day)) for month in (1, 2) for day in (1, 21)]
    dekadal = reporting_of(dekads, today=date(2023, 3, 1))
    assert dekadal.every is Every.DEKAD
    assert [gap.first_on for gap in dekadal.gaps] == [date(2023, 1, 11), date(2023, 2, 11)]
    reports = [(Reporter("02", None), date(2020, 10, day)) for day in (3, 12, 19, 31)]
    events = reporting_of(reports, today=date(2020, 11, 30))
    assert (events.every, events.gaps, events.periods_without_any) == (None, (), 0)
    assert reporting_of([], today=date(2020, 1, 1)).last_on is None


def test_each_kind_says_what_is_expected_of_it() -> None:
    kinds = indicator_kinds()
    assert kinds["price"].expects is PRICES
    assert kinds["households_affected"].expects is HOUSEHOLDS


def test_a_factor_is_told_as_people_write_it() -> None:
    assert times(log(4850)) == "4,850 times above"
    assert times(-log(1_000_000)) == "1,000,000 times below"
    assert times(log(2.5)) == "2.5 times above"
