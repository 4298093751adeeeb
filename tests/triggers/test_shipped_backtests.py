"""The shipped definitions, tried on the history that is at hand: docs/triggers.md says how it went.

python -m tests.triggers.test_shipped_backtests    write the tables and the places anew
"""

import csv
import gzip
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.triggers.backtests.command import CannotTry, tried, tried_together
from services.triggers.backtests.printed import printed
from services.triggers.backtests.report import Report
from services.triggers.feeds.shipped import shipped_document as shipped_feed

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "backtests"
GAZETTEER = ROOT / "services" / "registry" / "areas" / "data"
DOCUMENT = ROOT / "docs" / "triggers.md"
ROUNDS = 3

RICE = "rice-wholesale-price"
FLOOD = "flood-affected-households"
PRICES = "consumer-price-index"
SHIPPED = {
    "rice-price-spike": (RICE, "inflation-2022"),
    "flood-reported-impact": (FLOOD, "flood-2022-from-5"),
    "flood-reported-figures": (FLOOD, "flood-2022-from-0.2"),
    "consumer-prices": (PRICES, "inflation-2022"),
}
"""Each definition's indicator, and the file that says who would be enrolled where."""


def _flood(_: dict[str, str]) -> float:
    """Riel for a household and month of the mean size and ages that the programme of 2022 paid."""
    return 80_000 + 16_000 * 3.76 * (1 + 0.116 + 0.016 + 0.153)


def _inflation(commune: dict[str, str]) -> float:
    """Riel for a household and round of the mean size in its commune, every member but the head."""
    households = int(commune["idpoor1_hh"]) + int(commune["idpoor2_hh"])
    members = int(commune["idpoor1_persons"]) + int(commune["idpoor2_persons"])
    further = members / households - 1
    if commune["adm1_code"] == "12":
        return 99_900 + 28_000 * further
    if commune["unit_en"] == "Sangkat":
        return 87_300 + 24_000 * further
    return 81_300 + 20_000 * further


def _index(commune: dict[str, str]) -> float | None:
    return float(commune["flood_hazard_index"]) if commune["flood_hazard_index"] else None


def _all(_: float | None) -> bool:
    return True


def _from_5(index: float | None) -> bool:
    return index is not None and index >= 5


def _blank_or_from_5(index: float | None) -> bool:
    return index is None or index >= 5


def _blank_or_from_a_fifth(index: float | None) -> bool:
    return index is None or index >= 0.2


class Counted(NamedTuple):
    """Whose households are counted, what each would get, and by which areas."""

    takes: Callable[[float | None], bool]
    amount: Callable[[dict[str, str]], float]
    area: str = "adm1_code"


PLACES = {
    "inflation-2022": Counted(_all, _inflation),
    "flood-2022-from-5": Counted(_from_5, _flood),
    "flood-2022-from-0.2": Counted(_blank_or_from_a_fifth, _flood),
    # A gauge speaks for districts, and no province says who lives in one of its own.
    "flood-2022-districts": Counted(_blank_or_from_5, _flood, "adm2_code"),
}


def places(name: str) -> str:
    """IDPoor households and their money over all rounds, by province or district, as CSV."""
    counted = PLACES[name]
    households: dict[str, int] = defaultdict(int)
    money: dict[str, float] = defaultdict(float)
    with gzip.open(GAZETTEER / "communes.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for commune in csv.DictReader(file):
            poor = int(commune["idpoor1_hh"] or 0) + int(commune["idpoor2_hh"] or 0)
            area = commune[counted.area]
            households[area] += 0
            if poor and counted.takes(_index(commune)):
                households[area] += poor
                money[area] += poor * counted.amount(commune) * ROUNDS
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["area", "households", "amount_minor", "currency"])
    for area in sorted(households):
        writer.writerow([area, households[area], round(money[area]), "KHR"])
    return out.getvalue()


def consumer_price_index() -> str:
    """The index that the published changes over a year come to, as CSV: the year before is 100.

    What is published is a change; the method wants the two values that it is made of. Each month
    stands on the same month of the year before. Where one year's change is not known, what came
    before the gap is left out, so that no change over it is made up.
    """
    values: dict[tuple[int, int], Decimal] = {}
    with (FOLDER / "consumer-price-rates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            year, month = (int(part) for part in row["month"].split("-"))
            if (year - 1, month) not in values:
                values.pop((year - 2, month), None)
                values[year - 1, month] = Decimal(100)
            values[year, month] = values[year - 1, month] * (1 + Decimal(row["percent"]) / 100)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["area", "source", "observed_on", "published_on", "value"])
    for (year, month), value in sorted(values.items()):
        writer.writerow(["KH", "NIS", f"{year}-{month:02}", "", f"{value:.6f}"])
    return out.getvalue()


def result(code: str) -> str:
    """What the command prints."""
    indicator, who = SHIPPED[code]
    return printed(
        tried(
            FOLDER / f"{code}.json",
            histories=[f"{indicator}={FOLDER / f'{indicator}.csv'}"],
            places=FOLDER / f"places-{who}.csv",
        )
    )


WFP_PRICES = ROOT / "demo" / "data" / "wfp_rice_wholesale.csv"


def of_rice(history: Path, **more: Any) -> Report:
    return tried(
        FOLDER / "rice-price-spike.json",
        histories=[f"{RICE}={history}"],
        places=FOLDER / "places-inflation-2022.csv",
        **more,
    )


def test_prices_are_read_as_wfp_publishes_them(tmp_path: Path) -> None:
    own, published = of_rice(FOLDER / f"{RICE}.csv"), of_rice(WFP_PRICES)
    assert published.remarks[0].startswith(
        "wfp_rice_wholesale.csv: read as the feed 'wfp-food-prices' is, "
    )
    assert "in USD/KG" in published.remarks[0]
    # The history is the same, and so is what comes of it; the feed says when prices come out.
    assert (published.activations[0].decided_on, own.activations[0].decided_on) == (
        date(2023, 2, 10),
        date(2023, 2, 15),
    )
    assert [used.figures for used in published.histories] == [
        used.figures for used in own.histories
    ]
    assert [each.finding for each in published.activations] == [
        each.finding for each in own.activations
    ]
    assert (published.legs, published.scores.hits) == (own.legs, own.scores.hits)

    # A row that is none concerns itself, and is said; a package is brought into the others' unit.
    lines = WFP_PRICES.read_text().splitlines()
    bad = lines[1].replace("2019-01", "2019-13")
    half = lines[2].replace(",KG,", ",500 G,").replace(",0.51,", ",0.255,")
    file = tmp_path / "prices.csv"
    file.write_text("\n".join([lines[0], bad, half, *lines[3:]]))
    document = shipped_feed("wfp-food-prices")
    (series,) = document["format"]["series"]
    document["format"]["series"] = [series, {**series, "unit": "500 G"}]
    feed = tmp_path / "feed.json"
    feed.write_text(json.dumps(document))
    mended = of_rice(file, feeds=[feed])
    assert "Refused: 1, such as line 2: Its month is none" in mended.remarks[0]
    assert [used.figures + 1 for used in mended.histories] == [
        used.figures for used in own.histories
    ]


def test_a_publisher_s_file_that_says_nothing_of_the_indicator_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(WFP_PRICES.read_text().replace("Rice (mixed, low quality)", "Salt"))
    with pytest.raises(CannotTry, match="no row of rice-wholesale-price"):
        of_rice(file)
    file.write_text("a,b\n1,2\n")
    with pytest.raises(CannotTry, match="it cannot be read: It has no column"):
        of_rice(file)
    feed = tmp_path / "feed.json"
    feed.write_text("{}")
    with pytest.raises(CannotTry, match="is no feed's document"):
        of_rice(WFP_PRICES, feeds=[feed])


def _place_of(code: str) -> re.Pattern[str]:
    return re.compile(f"(<!-- backtest {code} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("code", SHIPPED)
def test_the_results_stand_in_the_document(code: str) -> None:
    found = _place_of(code).search(DOCUMENT.read_text())
    assert found is not None
    assert found[2] == result(code), f"Write them anew: python -m {__spec__.name}"


def test_the_index_is_what_the_published_changes_come_to() -> None:
    assert (FOLDER / f"{PRICES}.csv").read_text() == consumer_price_index()


@pytest.mark.parametrize("name", PLACES)
def test_places_are_those_of_the_gazetteer(name: str) -> None:
    assert (FOLDER / f"places-{name}.csv").read_text() == places(name)


def _written(folder: Path) -> Iterator[tuple[str, str, str]]:
    good = "area,source,observed_on,published_on,value\n01,NCDM,2020-10-12,2020-10-12,25000\n"
    yield "no.json", good, "asks for no backtest"
    yield str(FOLDER / "flood-reported-impact.json"), good + "1,NCDM,2020-10-12,,1\n", "line 3"
    yield str(FOLDER / "rice-price-spike.json"), good, "no history of this trigger"


def test_a_file_that_is_none_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text('{"name": "x"}')
    for question, content, said in _written(tmp_path):
        (tmp_path / "history.csv").write_text(content)
        with pytest.raises(CannotTry, match=said):
            tried(
                tmp_path / question,
                histories=[f"{FLOOD}={tmp_path / 'history.csv'}"],
                places=None,
            )


def test_two_questions_stand_side_by_side_each_by_its_own_history() -> None:
    histories = [f"{code}={FOLDER / f'{code}.csv'}" for code in (RICE, PRICES)]
    questions = [FOLDER / "rice-price-spike.json", FOLDER / "consumer-prices.json"]
    rice, prices = tried_together(questions, histories=histories, places=None)
    fates = [
        {each.event.name: each.fate.value for each in report.events} for report in (rice, prices)
    ]
    # Rice stood still in 2022 while all else rose; in 2023 it was rice alone.
    assert fates[0]["Rise of prices, 2022"] == "missed"
    assert fates[1]["Rise of prices, 2022"] == "hit"
    (change,) = prices.measures
    (in_2022,) = [point for point in change.points if point.on == date(2022, 6, 30)]
    assert in_2022.value == pytest.approx(7.8, abs=0.001)
    assert (in_2022.activation, in_2022.readiness) == (5, 4)
    with pytest.raises(CannotTry, match="no history of what is asked"):
        tried_together(questions, histories=[f"{FLOOD}=x.csv"], places=None)


def write() -> None:
    """Write places, the index and tables anew."""
    (FOLDER / f"{PRICES}.csv").write_text(consumer_price_index())
    for name in PLACES:
        (FOLDER / f"places-{name}.csv").write_text(places(name))
    text = DOCUMENT.read_text()
    for code in SHIPPED:
        found = _place_of(code).search(text)
        assert found is not None, f"{DOCUMENT} has no place for {code}."
        text = text[: found.start(2)] + result(code) + text[found.end(2) :]
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    write()
