"""Prices as the World Food Programme publishes them on HDX, as CSV.

Two shapes are read, told apart by their header: the whole file (date, admin1, admin2, market,
latitude, longitude, category, commodity, unit, priceflag, pricetype, currency, price, usdprice; a
second line may hold HXL tags), and one by months (month, admin1, market, commodity, category,
unit, pricetype, usdprice). Source: WFP, "Food Prices", Humanitarian Data Exchange.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.triggers.areas import AreaCode
from services.triggers.feeds.formats.reading import (
    Reading,
    Row,
    Setting,
    Unreadable,
    told,
    without_contradictions,
)
from services.triggers.feeds.formats.table import read_table
from services.triggers.observations.schemas import Value
from services.triggers.quality.units import unit_of
from shared.documents import Code
from shared.values import Text, Whole

_NEEDED = {"admin1", "market", "commodity", "unit", "pricetype", "usdprice"}
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])(-[0-9]{2})?")
_ACTUAL = {"actual", "aggregate", "actual,aggregate"}
_VALUE: TypeAdapter[Decimal] = TypeAdapter(Value)
_MARKET: TypeAdapter[str] = TypeAdapter(Annotated[str, Text(longest=100)])

ProvinceName = Annotated[str, Text(longest=100)]


class PriceSeries(BaseModel):
    """Which rows are prices of one indicator: like units only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: Code
    commodity: Annotated[str, Text(longest=100), Field(examples=["Rice (mixed, low quality)"])]
    unit: Annotated[str, Text(longest=40), Field(examples=["KG"])]
    price_type: Annotated[str, Text(longest=40), Field(examples=["Wholesale"])]
    currency: Annotated[
        Annotated[str, Field(pattern=r"^[A-Z]{3}$", max_length=3)] | None,
        Field(
            description="Take the column `price`, of rows in this currency. Left out: the column "
            "`usdprice`."
        ),
    ] = None

    @property
    def said_unit(self) -> str | None:
        """In which its prices are, such as `USD/500 G`; None: its unit is no quantity."""
        said = f"{self.currency or 'USD'}/{self.unit}"
        return said if unit_of(said) else None


class PricesFormat(BaseModel):
    """Prices as WFP publishes them on HDX, as CSV."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["wfp-prices"]
    series: Annotated[list[PriceSeries], Field(min_length=1, max_length=100)]
    provinces: Annotated[
        dict[ProvinceName, AreaCode],
        Field(
            min_length=1,
            max_length=100,
            description="The area of each name in the column `admin1`, spelt as there.",
        ),
    ]
    published_after_days: Annotated[
        Annotated[int, Whole(least=0, most=366)] | None,
        Field(
            description="The file does not say when a price was published. So many days after the "
            "end of its month, if it was not known before; a price that changed is always "
            "published on the day of the pull. Left out: each is, which keeps a first file from "
            "being history."
        ),
    ] = None

    def brings(self) -> set[str]:
        """The indicators of which it may bring figures."""
        return {series.indicator for series in self.series}


def read_prices(content: bytes, document: PricesFormat, setting: Setting) -> Reading:
    """The rows that are of one of the document's series, and those that should be and are not."""
    table = read_table(content, setting, fault_of_columns=_fault_of_columns)
    if isinstance(table, Reading):
        return table
    found = [
        _price(row, where, series, document, setting)
        for where, row in table.lines
        for series in document.series
        if _is_of(row, series)
    ]
    rows, contradictions = without_contradictions(row for row in found if isinstance(row, Row))
    refused = [row for row in found if isinstance(row, Unreadable)]
    return Reading(seen=table.seen, rows=rows, refused=[*table.refused, *refused, *contradictions])


def _fault_of_columns(columns: set[str]) -> str | None:
    missing = sorted(_NEEDED - columns)
    if not {"date", "month"} & columns:
        missing.append("date or month")
    return f"It has no column {', '.join(missing)}." if missing else None


def _is_of(row: Mapping[str, str], series: PriceSeries) -> bool:
    return (row["commodity"], row["unit"], row["pricetype"]) == (
        series.commodity,
        series.unit,
        series.price_type,
    ) and (series.currency is None or row.get("currency") == series.currency)


def _price(
    row: Mapping[str, str],
    where: str,
    series: PriceSeries,
    document: PricesFormat,
    setting: Setting,
) -> Row | Unreadable:
    if row.get("priceflag", "actual").replace(" ", "").lower() not in _ACTUAL:
        return Unreadable(where, "Its flag says that the price was not observed.")
    area = document.provinces.get(row["admin1"])
    if area is None:
        return Unreadable(
            where,
            "The feed's document gives no area to the name in the column admin1. Name it there.",
        )
    month = _month(row["date"] if "date" in row else row["month"])
    if month is None:
        return Unreadable(where, "Its month is none: write YYYY-MM, or YYYY-MM-DD.")
    if month > setting.on:
        return Unreadable(where, "Its month has not begun.")
    try:
        value = _VALUE.validate_python(row["usdprice" if series.currency is None else "price"])
        market = _MARKET.validate_python(row["market"])
    except (ValidationError, KeyError) as error:
        reason = told(error) if isinstance(error, ValidationError) else "no column price"
        return Unreadable(where, f"Its price or market cannot be read: {reason}")
    published_on = setting.on
    if document.published_after_days is not None:
        begins_next = (month + timedelta(days=31)).replace(day=1)
        due = begins_next + timedelta(days=document.published_after_days)
        published_on = min(published_on, due)
    return Row(
        where=where,
        indicator=series.indicator,
        area=area,
        place=market,
        source=setting.source,
        observed_on=month,
        published_on=published_on,
        publication_is_stated=False,
        value=value,
        unit=series.said_unit,
    )


def _month(text: str) -> date | None:
    """The first of the month, or None."""
    found = _MONTH.fullmatch(text)
    if found is None or not date.min.year < int(found[1]) < date.max.year:
        return None
    return date(int(found[1]), int(found[2]), 1)
