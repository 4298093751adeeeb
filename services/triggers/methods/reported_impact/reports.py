"""One authority's reports: what each comes to, and which says most of an area.

It depends on no trigger's thresholds, and is the same for all that act in the same areas.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from services.triggers.areas import COUNTRY


@dataclass(frozen=True, kw_only=True)
class Report:
    """One area in one authority's report; `households` is None where no figure was given."""

    area: str
    source: str
    reported_on: date
    published_on: date
    households: int | None

    @property
    def is_of_impact(self) -> bool:
        """Whether somebody is said to be affected: a report of zero says that nobody is."""
        return self.households is None or self.households > 0


@dataclass(frozen=True, kw_only=True)
class Total:
    """What one authority's report of one day comes to."""

    households: int
    source: str
    reported_on: date


def total_of(figures: Mapping[str, int | None]) -> int | None:
    """What one report's figures, by area, come to; None where there is none.

    Parents are not added to their children: an area comes to its own figure or to the sum of what
    was named inside of it, whichever is more.
    """
    if all(households is None for households in figures.values()):
        return None
    inside: dict[str | None, int] = defaultdict(int)
    for area in sorted(figures, key=_depth, reverse=True):
        whole = max(figures[area] or 0, inside.pop(area, 0))
        inside[_named_around(area, figures)] += whole
    return inside[None]


def totals_of(reports: Iterable[Report]) -> list[Total]:
    """Of each report with a figure, in the order of their days."""
    totals = []
    ordered = sorted(reports, key=_report_of)
    for (reported_on, source), rows in groupby(ordered, key=_report_of):
        households = total_of({row.area: row.households for row in rows})
        if households is not None:
            totals.append(Total(households=households, source=source, reported_on=reported_on))
    return totals


def highest_of(reports: Iterable[Report]) -> list[Report]:
    """Of each area the report that says most, or the first that named it; the country is none."""
    highest: dict[str, Report] = {}
    for report in reports:
        known = highest.get(report.area)
        if report.area != COUNTRY and (known is None or _figure(report) > _figure(known)):
            highest[report.area] = report
    return list(highest.values())


def _report_of(report: Report) -> tuple[date, str]:
    return report.reported_on, report.source


def _depth(area: str) -> int:
    return 0 if area == COUNTRY else len(area)


def _named_around(area: str, named: Mapping[str, int | None]) -> str | None:
    """The smallest area among those named that holds another; None where none does."""
    if area == COUNTRY:
        return None
    around = (area[:length] for length in range(len(area) - 2, 0, -2))
    return next((code for code in (*around, COUNTRY) if code in named), None)


def _figure(report: Report) -> int:
    return -1 if report.households is None else report.households
