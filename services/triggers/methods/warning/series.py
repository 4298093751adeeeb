"""Alerts as they stand: which of them are in force on a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from services.triggers.areas import shared_by
from services.triggers.methods.figures import Figures
from services.triggers.methods.warning.document import AlertWarning
from services.triggers.methods.warning.indicator import (
    AlertDetails,
    AlertSeverity,
    AlertStatus,
    MessageType,
)

_ONE_DAY = timedelta(days=1)
_REPLACING = {MessageType.UPDATE, MessageType.CANCEL}
_ALERTING = {MessageType.ALERT, MessageType.UPDATE}


@dataclass(frozen=True, kw_only=True)
class AreaAlert:
    """What one alert says of one area of the trigger's."""

    area: str
    sent_on: date
    severity: AlertSeverity
    last_on: date
    """The last day on which it counts, unless it is taken away."""
    details: AlertDetails

    def counts_on(self, day: date) -> bool:
        """Whether its time has begun and not ended."""
        return self.sent_on <= day <= self.last_on


@dataclass(frozen=True, kw_only=True)
class TakenAway:
    """That a sender's Update or Cancel ends an earlier alert of its own, wherever that was."""

    sent_on: date
    sender: str
    identifier: str


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """What was said of the trigger's areas, by day; and what was taken back."""

    said: tuple[AreaAlert, ...]
    taken_away: tuple[TakenAway, ...]

    def in_force(self, day: date) -> list[AreaAlert]:
        """The alerts that count on a day, by what had been sent by then."""
        gone = {
            (taken.sender, taken.identifier) for taken in self.taken_away if taken.sent_on <= day
        }
        return [
            alert
            for alert in self.said
            if alert.details.msg_type in _ALERTING
            and (alert.details.sender, alert.details.identifier) not in gone
            and alert.counts_on(day)
        ]

    def ended(self, day: date) -> list[AreaAlert]:
        """The alerts whose last day was the day before, and that nothing had taken away."""
        yesterday = day - _ONE_DAY
        return [alert for alert in self.in_force(yesterday) if alert.last_on == yesterday]

    @property
    def ended_on_days(self) -> list[date]:
        """The days on which an alert does not count any more, though no message said so."""
        days = {alert.last_on + _ONE_DAY for alert in self.said if alert.last_on < date.max}
        return [day for day in sorted(days) if self.ended(day)]

    @property
    def days(self) -> list[date]:
        """The days on which what is in force may have changed, by a message."""
        known = {(alert.details.sender, alert.details.identifier) for alert in self.said}
        return [
            *(alert.sent_on for alert in self.said),
            *(
                taken.sent_on
                for taken in self.taken_away
                if (taken.sender, taken.identifier) in known
            ),
        ]


def alerts_of(
    figures: Figures, document: AlertWarning, *, areas: Sequence[str], zone: tzinfo
) -> Alerts:
    """The actual alerts among the figures; what is an exercise, a test or a draft is none.

    Days are those of `zone`.
    """
    events = {event.casefold() for event in document.events}
    said: list[AreaAlert] = []
    taken_away: set[TakenAway] = set()
    for figure in figures.rows:
        if figure.details is None or figure.value is None:
            continue
        details = AlertDetails.model_validate(figure.details)
        if details.status is not AlertStatus.ACTUAL:
            continue
        if details.msg_type in _REPLACING:
            taken_away |= {
                TakenAway(sent_on=figure.observed_on, sender=details.sender, identifier=reference)
                for reference in details.references
            }
        if events and details.event.casefold() not in events:
            continue
        last_on = _last_on(figure.observed_on, details, document=document, zone=zone)
        said += [
            AreaAlert(
                area=area,
                sent_on=figure.observed_on,
                severity=list(AlertSeverity)[int(figure.value)],
                last_on=last_on,
                details=details,
            )
            for area in shared_by([figure.area], areas)
        ]
    return Alerts(
        said=tuple(
            sorted(said, key=lambda alert: (alert.sent_on, alert.area, alert.details.identifier))
        ),
        taken_away=tuple(
            sorted(taken_away, key=lambda taken: (taken.sent_on, taken.sender, taken.identifier))
        ),
    )


def _last_on(sent_on: date, details: AlertDetails, *, document: AlertWarning, zone: tzinfo) -> date:
    if details.expires is None:
        return sent_on + timedelta(days=document.without_end_days - 1)
    return details.expires.astimezone(zone).date()
