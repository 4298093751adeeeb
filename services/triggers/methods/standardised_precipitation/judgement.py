"""What the rain of a place says of a month: its SPI by the years before."""

from calendar import monthrange

import numpy as np

from services.triggers.methods.judgement import Period
from services.triggers.methods.standardised_precipitation.document import (
    StandardisedPrecipitation,
)
from services.triggers.methods.standardised_precipitation.series import RainSeries, month_number
from services.triggers.methods.standardised_precipitation.spi import SpiFit, fit
from services.triggers.methods.unjudged import Unjudged
from services.triggers.methods.verdicts import Verdict


def judge_months(place: RainSeries, document: StandardisedPrecipitation, period: Period) -> Verdict:
    fitted = fit_before(place, document, period)
    if isinstance(fitted, Unjudged):
        return Verdict(
            site=place.site, says=f"{place.site.name}: {fitted.reason}", is_unjudged=True
        )
    total = place.total(month_number(period.last_on))
    spi = fitted.spi(total)
    return Verdict(
        site=place.site,
        stage=document.levels.stage(spi, document.direction),
        severity=document.levels.severity(spi, document.direction),
        says=f"{place.site.name}: SPI over {document.months} months {spi:.2f} "
        f"({total:.1f} mm by {period.last_on:%Y-%m}, {fitted.years} earlier years), activation "
        f"from {document.levels.activation:g}.",
        numbers={
            "spi": spi,
            "months": document.months,
            "millimetres": total,
            "earlier_years": fitted.years,
            "probability_of_zero": fitted.probability_of_zero,
            "shape": fitted.shape,
            "scale_millimetres": fitted.scale,
        },
    )


def is_back(place: RainSeries, document: StandardisedPrecipitation, period: Period) -> bool:
    """Whether the SPI of a month is known, and came back past that of release."""
    fitted = fit_before(place, document, period)
    if isinstance(fitted, Unjudged):
        return False
    spi = fitted.spi(place.total(month_number(period.last_on)))
    return not document.direction.reaches(spi, document.rearm.back_to)


def fit_before(
    place: RainSeries, document: StandardisedPrecipitation, period: Period
) -> SpiFit | Unjudged:
    """The fit by which a month is judged, if it can be: of earlier years alone."""
    day = period.last_on
    if day.day != monthrange(day.year, day.month)[1]:
        return Unjudged("The SPI judges whole months: let the indicator's calendar be of months.")
    month = month_number(day)
    if np.isnan(place.total(month)):
        return Unjudged(
            f"The rain of the {document.months} months up to {day:%Y-%m} is not known whole."
        )
    earlier = place.earlier(month)
    if len(earlier) < document.minimum_years:
        return Unjudged(
            f"The SPI needs {document.minimum_years} earlier years with these months; there are "
            f"{len(earlier)} before {day:%Y-%m}."
        )
    return fit(earlier)
