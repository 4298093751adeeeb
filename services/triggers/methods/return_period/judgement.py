"""What a station says of a period: its highest value against the levels of earlier years."""

from datetime import date

import numpy as np

from services.triggers.methods.judgement import Period
from services.triggers.methods.return_period.document import ReturnPeriod
from services.triggers.methods.return_period.fits import gumbel, plotting_position_level
from services.triggers.methods.return_period.series import Record, StationSeries, year_of
from services.triggers.methods.unjudged import Unjudged
from services.triggers.methods.verdicts import Verdict


def judge_station(station: StationSeries, document: ReturnPeriod, period: Period) -> Verdict:
    values = station.series.of(period)
    if np.isnan(values).all():
        return _unjudged(station, f"{station.site.name} has no value for {period.last_on}.")
    record = record_before(station, document, period)
    if isinstance(record, Unjudged):
        return _unjudged(station, f"{station.site.name}: {record.reason}")
    highest = int(np.nanargmax(values))
    value = float(values[highest])
    on = date.fromordinal(period.first_on.toordinal() + highest)
    return Verdict(
        site=station.site,
        stage=record.levels.stage(value),
        severity=record.levels.severity(value),
        says=f"{station.site.name}: {value:g} on {on}; activation from "
        f"{record.levels.activation:g}, reached once in "
        f"{document.return_periods.activation:g} years by {len(record.maxima)} earlier years.",
        numbers={
            "value": value,
            "observed_on": on.isoformat(),
            "levels": record.levels.model_dump(mode="json"),
            "earlier_years": len(record.maxima),
            "highest_of_earlier_years": max(record.maxima),
        },
    )


def is_below(station: StationSeries, document: ReturnPeriod, period: Period) -> bool:
    """Whether every value of the period that there is lies below the level of release."""
    values = station.series.of(period)
    record = record_before(station, document, period)
    if isinstance(record, Unjudged) or np.isnan(values).all():
        return False
    return bool(np.nanmax(values) < record.release)


def record_before(
    station: StationSeries, document: ReturnPeriod, period: Period
) -> Record | Unjudged:
    """The record of the years before the one in which a period ends: its own stays out."""
    year = year_of(period.last_on, begins_in_month=document.year_begins_in_month)
    if year not in station.records:
        earlier = [value for each, value in sorted(station.maxima.items()) if each < year]
        station.records[year] = _record(earlier, document)
    return station.records[year]


def _record(maxima: list[float], document: ReturnPeriod) -> Record | Unjudged:
    if len(maxima) < document.minimum_years:
        return Unjudged(
            f"{document.minimum_years} complete earlier years are needed; there are {len(maxima)}."
        )
    fitted = gumbel(maxima)
    if isinstance(fitted, Unjudged):
        return fitted

    def level(years: float) -> float:
        if document.fit == "gumbel":
            return fitted.level(years)
        return plotting_position_level(maxima, years)

    return Record(
        maxima=tuple(maxima),
        levels=document.return_periods.mapped(level),
        release=level(document.rearm.below_years),
    )


def _unjudged(station: StationSeries, why: str) -> Verdict:
    return Verdict(site=station.site, says=why, is_unjudged=True)
