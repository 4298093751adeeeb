"""Extents as GeoJSON (RFC 7946): polygons, of which each commune is covered by a share."""

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.triggers.areas import AreaLevel
from services.triggers.feeds.formats.reading import Reading, Row, Setting, Unreadable
from services.triggers.geography.overlap import lay_over
from services.triggers.geography.shapes import Shape, ShapeRefused, of_geojson, together
from shared.documents import Code
from shared.values import Day, Measure, Text

_DAY: TypeAdapter[date] = TypeAdapter(Day)
_DECIMALS = Decimal("0.000001")


class ExtentsFormat(BaseModel):
    """Extents, such as of a flood, as polygons in GeoJSON: the share of each commune."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["geojson-extent"]
    indicator: Annotated[Code, Field(description="Observed by commune; its values are shares.")]
    day_property: Annotated[
        Annotated[str, Text(longest=100)] | None,
        Field(
            description="The property of a feature that says its day (YYYY-MM-DD, or an instant "
            "that begins so). Left out: it is the day of the pull."
        ),
    ] = None
    least_share: Annotated[
        float,
        Measure(least=0, most=1),
        Field(description="A commune that is covered by less is left out."),
    ] = 0.001

    def brings(self) -> set[str]:
        """The indicators of which it may bring figures."""
        return {self.indicator}


def read_extents(content: bytes, document: ExtentsFormat, setting: Setting) -> Reading:
    """For each day what all of its features cover together; a bad feature is refused alone."""
    if setting.levels.get(document.indicator, AreaLevel.COMMUNE) is not AreaLevel.COMMUNE:
        return Reading.of_nothing("Extents are laid over communes, and its indicator is not.")
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return Reading.of_nothing("It is not valid JSON.")
    features = _features(parsed)
    if features is None:
        return Reading.of_nothing("It is no FeatureCollection or Feature of GeoJSON.")
    if len(features) > setting.maximum_rows:
        return Reading.of_nothing(f"It has more than {setting.maximum_rows:,} features.")
    by_day: dict[date, list[Shape]] = {}
    refused = []
    for number, feature in enumerate(features, start=1):
        where = f"feature {number}"
        try:
            day = _day(feature, document, setting)
            by_day.setdefault(day, []).append(of_geojson(feature.get("geometry")))
        except ShapeRefused as error:
            refused.append(Unreadable(where, str(error)))
    rows: list[Row] = []
    for day, shapes in sorted(by_day.items()):
        laid = lay_over(together(shapes))
        where = f"all features of {day}"
        if laid.is_elsewhere:
            refused.append(Unreadable(where, "They cover nothing of the country."))
        refused += [
            Unreadable(
                where,
                f"They cover {share:.0%} of the commune {commune.name} in province "
                f"{commune.province}, whose boundary carries no code: no figure is given to it.",
            )
            for commune, share in laid.without_code
            if share >= document.least_share
        ]
        rows += [
            Row(
                where=where,
                indicator=document.indicator,
                area=code,
                place=None,
                source=setting.source,
                observed_on=day,
                published_on=setting.on,
                publication_is_stated=False,
                value=Decimal(share).quantize(_DECIMALS),
            )
            for code, share in laid.overlaps
            if share >= document.least_share
        ]
    return Reading(seen=len(features), rows=rows, refused=refused)


def _features(parsed: Any) -> list[dict[str, Any]] | None:
    match parsed:
        case {"type": "FeatureCollection", "features": list(features)}:
            return [feature if isinstance(feature, dict) else {} for feature in features]
        case {"type": "Feature"}:
            return [parsed]
        case _:
            return None


def _day(feature: dict[str, Any], document: ExtentsFormat, setting: Setting) -> date:
    if document.day_property is None:
        return setting.on
    properties = feature.get("properties")
    said = properties.get(document.day_property) if isinstance(properties, dict) else None
    try:
        day = _DAY.validate_python(str(said)[:10])
    except ValidationError:
        raise ShapeRefused(f"Its property {document.day_property} says no day.") from None
    if day > setting.on:
        raise ShapeRefused("Its day is after today.")
    return day
