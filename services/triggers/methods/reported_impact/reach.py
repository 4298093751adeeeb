"""Which of the reported areas are taken in, and why the others are not."""

from dataclasses import dataclass
from enum import StrEnum

from services.triggers.areas import lies_within
from services.triggers.methods.reported_impact.document import ReportedImpact
from services.triggers.methods.reported_impact.reports import Report
from services.triggers.methods.reported_impact.series import ReportedEvent


class NotReached(StrEnum):
    """Why an area that was reported is not taken in."""

    BELOW_THRESHOLD = "below-area-threshold"
    WITHOUT_FIGURE = "without-figure"
    OUTSIDE = "outside-areas"

    @property
    def words(self) -> str:
        """For people, after "of which": "2 below the threshold for an area"."""
        return _WORDS[self]


_WORDS = {
    NotReached.BELOW_THRESHOLD: "below the threshold for an area",
    NotReached.WITHOUT_FIGURE: "named without a figure",
    NotReached.OUTSIDE: "outside of the trigger's areas",
}


@dataclass(frozen=True, kw_only=True)
class Reach:
    """An area, by the report that says most of it, or the first that named it."""

    report: Report
    taken_in: bool
    because: NotReached | None
    """Why it is not reached; None: it is, by itself or inside of another that is taken in."""

    @property
    def area(self) -> str:
        return self.report.area


def reach_of(event: ReportedEvent, *, document: ReportedImpact) -> tuple[Reach, ...]:
    """Each reported area in the order of their codes; the whole country is none."""
    within, outside = event.highest, event.highest_outside
    faults = {report.area: _fault_of(report, document=document) for report in within}
    meeting = {area for area, fault in faults.items() if fault is None}
    # An area inside of one that is taken in is reached with it.
    taken_in = {area for area in meeting if not lies_within(area, meeting - {area})}
    reached = [
        Reach(
            report=report,
            taken_in=report.area in taken_in,
            because=None if lies_within(report.area, taken_in) else faults[report.area],
        )
        for report in within
    ]
    missed = [
        Reach(report=report, taken_in=False, because=NotReached.OUTSIDE) for report in outside
    ]
    return tuple(sorted([*reached, *missed], key=lambda reach: reach.area))


def _fault_of(report: Report, *, document: ReportedImpact) -> NotReached | None:
    if report.households is None:
        return None if document.unquantified == "include" else NotReached.WITHOUT_FIGURE
    if report.households < document.activation.area_threshold_households:
        return NotReached.BELOW_THRESHOLD
    return None
