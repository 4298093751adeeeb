"""Two real shocks as they became known: what was published on which day, in order.

Prices: WFP's figures of a month are published in the month after; the files do not say on which
day, so it is taken to be the 15th. Flood reports carry their own dates. Both are in one line of
time, so October 2020 falls between two months of prices, as it did.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from demo.country import GAZETTEER
from shared.clock import COUNTRY_ZONE

DATA = Path(__file__).parent / "data"

PRICE_PUBLICATION_DAY = 15
OFFICE_OPENS = time(9, 0, tzinfo=COUNTRY_ZONE)

PRICE_TRIGGER = "rice-price-spike"
FLOOD_TRIGGER = "flood-reported-impact"
PRICE_SCHEME = "inflation-2022"
FLOOD_SCHEME = "flood-2022"

PRICE_INDICATOR = {
    "code": "rice-wholesale-price",
    "name": "Wholesale price of rice (mixed, low quality)",
    "unit": "USD/KG",
    "kind": "price",
    "area_level": "province",
    "calendar": {"frequency": "month", "waits_days": PRICE_PUBLICATION_DAY},
}
FLOOD_INDICATOR = {
    "code": "flood-affected-households",
    "name": "Households reported affected by floods",
    "unit": "households",
    "kind": "households_affected",
    "area_level": "province",
}


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One batch of observations, as the API takes it, on the day on which it came out.

    ``judged_on`` is how the trigger's evaluation of it is dated: the last day of the month of a
    price, the day of a report. ``judged_at`` is when it is made, in the domain's time.
    """

    published_on: date
    judged_on: date
    judged_at: datetime
    trigger: str
    title: str
    body: dict[str, Any]

    @property
    def instant(self) -> datetime:
        """When it is recorded, in the domain's time."""
        return datetime.combine(self.published_on, OFFICE_OPENS)


def publications() -> list[Publication]:
    """Everything that was published, oldest first."""
    return sorted(
        [*_prices(), *_reports()],
        key=lambda publication: (publication.published_on, publication.trigger),
    )


@dataclass(frozen=True, kw_only=True)
class Fall:
    """An authority's figure for a province that is lower than its own of an earlier day."""

    reported_on: date
    authority: str
    province: str
    before: int
    after: int


def falls() -> list[Fall]:
    """Figures that fell from one report to the next."""
    found = []
    latest: dict[tuple[str, str], int] = {}
    with gzip.open(GAZETTEER / "provinces.csv.gz", "rt", encoding="utf-8", newline="") as file:
        names = {row["adm1_code"]: row["name_en"] for row in csv.DictReader(file)}
    for row in _rows("reported_households_2020_10.csv"):
        if not row["households_affected"]:
            continue
        key = (row["authority"], row["province_code"])
        figure = int(row["households_affected"])
        if figure < latest.get(key, 0):
            found.append(
                Fall(
                    reported_on=date.fromisoformat(row["reported_on"]),
                    authority=row["authority"],
                    province=names[row["province_code"]],
                    before=latest[key],
                    after=figure,
                )
            )
        latest[key] = figure
    return found


def _prices() -> Iterable[Publication]:
    months: dict[date, list[dict[str, str]]] = defaultdict(list)
    for row in _rows("wfp_rice_wholesale.csv"):
        months[date.fromisoformat(f"{row['month']}-01")].append(row)
    for month, rows in months.items():
        published_on = date(
            month.year + month.month // 12, month.month % 12 + 1, PRICE_PUBLICATION_DAY
        )
        yield Publication(
            published_on=published_on,
            judged_on=date(published_on.year, published_on.month, 1) - timedelta(days=1),
            # A month is judged when the day of its last prices is over.
            judged_at=datetime.combine(
                published_on + timedelta(days=1), time(), tzinfo=COUNTRY_ZONE
            ),
            trigger=PRICE_TRIGGER,
            title=f"rice price of {month:%B %Y}, {len(rows)} markets",
            body={
                "indicator": PRICE_INDICATOR["code"],
                "unit": PRICE_INDICATOR["unit"],
                "observations": [
                    {
                        "area": row["province_code"],
                        "place": row["market"],
                        "source": "WFP",
                        "observed_on": month.isoformat(),
                        "published_on": published_on.isoformat(),
                        "value": row["usdprice"],
                    }
                    for row in rows
                ],
            },
        )


def _reports() -> Iterable[Publication]:
    days: dict[date, list[dict[str, str]]] = defaultdict(list)
    for row in _rows("reported_households_2020_10.csv"):
        days[date.fromisoformat(row["reported_on"])].append(row)
    for day, rows in days.items():
        authorities = " and ".join(sorted({row["authority"] for row in rows}))
        yield Publication(
            published_on=day,
            judged_on=day,
            judged_at=datetime.combine(day, OFFICE_OPENS),
            trigger=FLOOD_TRIGGER,
            title=f"flood report of {authorities}, {len(rows)} provinces",
            body={
                "indicator": FLOOD_INDICATOR["code"],
                "unit": FLOOD_INDICATOR["unit"],
                "observations": [
                    {
                        "area": row["province_code"],
                        "source": row["authority"],
                        "observed_on": day.isoformat(),
                        "published_on": day.isoformat(),
                        "value": row["households_affected"] or None,
                    }
                    for row in rows
                ],
            },
        )


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
