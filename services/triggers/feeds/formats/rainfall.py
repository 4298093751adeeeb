"""Rain by month from the rainfall indicators that the World Food Programme publishes on HDX.

The file has a line for each area and dekad: `date` (the dekad's first day), the area's P-code
(`PCODE`; in older files `adm2_pcode`), `rfh` (millimetres of the dekad), `r1h` (of this and the two
dekads before), and `version` (final, prelim or forecast). The `r1h` of the dekad that begins on
the 21st is the rain of its month. Source: WFP, "Rainfall Indicators at Subnational Level", from
CHIRPS (Climate Hazards Center, University of California Santa Barbara).
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
from shared.documents import Code
from shared.values import Text, Whole

_AREA_COLUMNS = ("pcode", "adm1_pcode", "adm2_pcode")
_LAST_DEKAD_BEGINS = 21
_FORECAST = "forecast"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VALUE: TypeAdapter[Decimal] = TypeAdapter(Value)

PlaceCode = Annotated[str, Text(longest=40)]


class RainfallFormat(BaseModel):
    """Rain by month, as WFP publishes it on HDX, as CSV."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["wfp-rainfall"]
    indicator: Annotated[Code, Field(description="What it brings: millimetres of a month.")]
    areas: Annotated[
        dict[PlaceCode, AreaCode],
        Field(
            min_length=1,
            max_length=500,
            description="The area of each P-code that is wanted; the lines of others are left out.",
        ),
    ]
    published_after_days: Annotated[
        Annotated[int, Whole(least=0, most=366)] | None,
        Field(
            description="The file does not say when a figure was published. So many days after the "
            "end of its month, if it was not known before; one that changed is always published on "
            "the day of the pull. Left out: each is, which keeps a first file from being history."
        ),
    ] = None

    def brings(self) -> set[str]:
        """The indicators of which it may bring figures."""
        return {self.indicator}


def read_rainfall(content: bytes, document: RainfallFormat, setting: Setting) -> Reading:
    """The rain of each wanted area's whole months, and what should be such and is not."""
    table = read_table(content, setting, fault_of_columns=_fault_of_columns)
    if isinstance(table, Reading):
        return table
    found = [
        _month(row, where, document.areas[code], document, setting)
        for where, row in table.lines
        if (code := _code_of(row)) in document.areas and _may_be_whole(row)
    ]
    rows, contradictions = without_contradictions(row for row in found if isinstance(row, Row))
    refused = [row for row in found if isinstance(row, Unreadable)]
    return Reading(seen=table.seen, rows=rows, refused=[*table.refused, *refused, *contradictions])


def _fault_of_columns(columns: set[str]) -> str | None:
    missing = sorted({"date", "r1h"} - columns)
    if not columns.intersection(_AREA_COLUMNS):
        missing.append("PCODE")
    return f"It has no column {', '.join(missing)}." if missing else None


def _code_of(row: Mapping[str, str]) -> str:
    return next(row[column] for column in _AREA_COLUMNS if column in row)


def _may_be_whole(row: Mapping[str, str]) -> bool:
    """Whether a line tells of rain that fell, up to the end of a month or an unreadable day."""
    if row.get("version", "").lower() == _FORECAST:
        return False
    day = _day(row["date"])
    return day is None or day.day == _LAST_DEKAD_BEGINS


def _month(
    row: Mapping[str, str], where: str, area: str, document: RainfallFormat, setting: Setting
) -> Row | Unreadable:
    day = _day(row["date"])
    if day is None:
        return Unreadable(where, "Its date is no day: write YYYY-MM-DD.")
    ends_before = (day + timedelta(days=11)).replace(day=1)
    if ends_before > setting.on:
        return Unreadable(where, "Its month has not ended.")
    try:
        value = _VALUE.validate_python(row["r1h"])
    except ValidationError as error:
        return Unreadable(where, f"Its r1h cannot be read: {told(error)}")
    published_on = setting.on
    if document.published_after_days is not None:
        due = ends_before + timedelta(days=document.published_after_days)
        published_on = min(published_on, due)
    return Row(
        where=where,
        indicator=document.indicator,
        area=area,
        place=None,
        source=setting.source,
        observed_on=day.replace(day=1),
        published_on=published_on,
        publication_is_stated=False,
        value=value,
    )


def _day(text: str) -> date | None:
    if _DAY.fullmatch(text) is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None
