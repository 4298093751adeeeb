"""The real data that the demonstration replays, as the tests need it."""

import csv
import statistics
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from services.triggers.methods.price_spike.series import NationalMonth

DATA = Path(__file__).parents[2] / "demo" / "data"

RICE_INDICATOR = {
    "code": "rice-wholesale-price",
    "name": "Wholesale price of rice (mixed, low quality)",
    "unit": "USD/KG",
    "kind": "price",
    "area_level": "province",
}

FLOOD_INDICATOR = {
    "code": "flood-affected-households",
    "name": "Households reported affected by floods",
    "unit": "households",
    "kind": "households_affected",
    "area_level": "province",
}


def published_in(month: date) -> date:
    """The tenth of the next month, when a month's prices are taken to be out."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 10)


def rice_by_month() -> Iterator[tuple[date, list[dict[str, Any]]]]:
    """Each month's observations, as the API takes them, oldest first."""
    with (DATA / "wfp_rice_wholesale.csv").open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["month"])
    for text, markets in groupby(rows, key=lambda row: row["month"]):
        month = date.fromisoformat(f"{text}-01")
        yield (
            month,
            [
                {
                    "area": row["province_code"],
                    "place": row["market"],
                    "source": "WFP",
                    "observed_on": month.isoformat(),
                    "published_on": published_in(month).isoformat(),
                    "value": float(row["usdprice"]),
                }
                for row in markets
            ],
        )


def rice_medians() -> list[NationalMonth]:
    """The national months, by the median of the standard library."""
    prices: dict[date, list[float]] = defaultdict(list)
    for month, rows in rice_by_month():
        prices[month] = [row["value"] for row in rows]
    return [
        NationalMonth(month=month, median=statistics.median(values), markets=len(values))
        for month, values in prices.items()
    ]


def flood_reports() -> Iterator[tuple[date, list[dict[str, Any]]]]:
    """Each day's reports of October 2020, as the API takes them, oldest first."""
    with (DATA / "reported_households_2020_10.csv").open() as file:
        rows = list(csv.DictReader(file))
    for text, provinces in groupby(rows, key=lambda row: row["reported_on"]):
        yield (
            date.fromisoformat(text),
            [
                {
                    "area": row["province_code"],
                    "source": row["authority"],
                    "observed_on": text,
                    "published_on": text,
                    "value": int(row["households_affected"])
                    if row["households_affected"]
                    else None,
                }
                for row in provinces
            ],
        )
