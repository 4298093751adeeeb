"""The synthetic country keeps to the counts and shares that are real, and is the same each time."""

import csv
import gzip
import io
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import islice

import pytest

from demo.country import COUNTRY_HOUSEHOLDS, GAZETTEER, cells, country_csv
from demo.providers import BANKED_WITH
from services.registry.households.shape import HEADERS

SCALE = Fraction("0.01")


@pytest.fixture(scope="module")
def households() -> list[dict[str, str]]:
    text = b"".join(country_csv(scale=SCALE, seed=1)).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_country_at_scale_one_is_idpoors_count_commune_by_commune() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    with gzip.open(GAZETTEER / "communes.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counted[row["adm3_code"], "poor-1"] = int(row["idpoor1_hh"] or 0)
            counted[row["adm3_code"], "poor-2"] = int(row["idpoor2_hh"] or 0)
    whole = cells(Fraction(1))
    assert {(cell.commune, cell.poverty_status): cell.households for cell in whole} == counted
    assert sum(cell.households for cell in whole) == COUNTRY_HOUSEHOLDS


@pytest.mark.parametrize(("scale", "total"), [("0.01", 6_784), ("0.03", 20_353), ("0.5", 339_220)])
def test_rounding_keeps_the_total_and_every_commune_within_a_household(
    scale: str, total: int
) -> None:
    scaled = cells(Fraction(scale))
    assert sum(cell.households for cell in scaled) == total
    for cell in scaled:
        assert abs(cell.households - Fraction(scale) * cell.counted_households) < 1
    provinces: defaultdict[str, Fraction] = defaultdict(Fraction)
    for cell in scaled:
        provinces[cell.commune[:2]] += cell.households - Fraction(scale) * cell.counted_households
    assert max(abs(difference) for difference in provinces.values()) <= 1


@pytest.mark.parametrize("scale", ["0", "-1", "1.01"])
def test_a_scale_beyond_the_country_is_refused(scale: str) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        cells(Fraction(scale))


def test_one_seed_makes_one_country_byte_for_byte() -> None:
    first, again = (b"".join(country_csv(scale=SCALE, seed=7)) for _ in range(2))
    assert first == again
    assert first != b"".join(country_csv(scale=SCALE, seed=8))


def test_where_households_bank_changes_nothing_else_about_them(
    households: list[dict[str, str]],
) -> None:
    text = b"".join(country_csv(scale=SCALE, seed=1, shares=BANKED_WITH)).decode()
    elsewhere = list(csv.DictReader(io.StringIO(text)))
    banks = Counter(row.pop("provider_code") for row in elsewhere)
    assert elsewhere == [
        {name: value for name, value in row.items() if name != "provider_code"}
        for row in households
    ]
    banked = sum(banks[code] for code in BANKED_WITH)
    for code, share in BANKED_WITH.items():
        assert banks[code] / banked == pytest.approx(share, abs=0.02)


def test_rows_are_as_many_as_the_cells_say(households: list[dict[str, str]]) -> None:
    made = Counter((row["commune_code"], row["poverty_status"]) for row in households)
    assert made == Counter(
        {
            (cell.commune, cell.poverty_status): cell.households
            for cell in cells(SCALE)
            if cell.households
        }
    )
    assert tuple(households[0]) == HEADERS


def test_persons_and_shares_follow_the_published_anchors(
    households: list[dict[str, str]],
) -> None:
    persons = sum(int(row["members"]) for row in households)
    shares = {
        feature: sum(int(row[feature]) for row in households) / persons
        for feature in ("children_0_5", "disabled", "elderly_60")
    }
    assert persons / len(households) == pytest.approx(4.08, abs=0.08)
    assert shares == {
        "children_0_5": pytest.approx(0.116, abs=0.008),
        "disabled": pytest.approx(0.016, abs=0.004),
        "elderly_60": pytest.approx(0.153, abs=0.008),
    }


def test_persons_of_the_whole_country_are_idpoors_where_those_are_plausible() -> None:
    _, poor_1, poor_2 = islice(country_csv(scale=Fraction(1), seed=1), 3)
    rows = (poor_1 + poor_2).decode().splitlines()
    assert {row[:6] for row in rows} == {"010201"}
    assert sum(int(row.split(",")[3]) for row in rows) == 1_600 + 2_408


def test_nobody_shares_a_number_and_no_number_is_a_real_one(
    households: list[dict[str, str]],
) -> None:
    for column in ("registration_number", "phone", "id_number", "account"):
        given = [row[column] for row in households if row[column]]
        assert len(set(given)) == len(given)
        assert len(given) > 0.9 * len(households)
    assert all(row["phone"].startswith("+85520") for row in households if row["phone"])
    without = sum(not row["account"] for row in households) / len(households)
    assert 0.01 < without < 0.03
    assert all(bool(row["account"]) == bool(row["provider_code"]) for row in households)
