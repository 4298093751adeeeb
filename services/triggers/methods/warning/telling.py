"""A day's alerts in sentences, from the evidence as it was kept."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.triggers.methods.warning.indicator import AlertSeverity, Certainty, Urgency
from shared.wording import numbers
from shared.wording.phrase import Phrase

_MAXIMUM_ALERTS = 8
_SEVERITIES = {
    AlertSeverity.UNKNOWN: Phrase("unknown", "មិនស្គាល់"),
    AlertSeverity.MINOR: Phrase("minor", "ស្រាល"),
    AlertSeverity.MODERATE: Phrase("moderate", "មធ្យម"),
    AlertSeverity.SEVERE: Phrase("severe", "ធ្ងន់ធ្ងរ"),
    AlertSeverity.EXTREME: Phrase("extreme", "ធ្ងន់ធ្ងរបំផុត"),
}
_URGENCIES = {
    Urgency.UNKNOWN: Phrase("unknown", "មិនស្គាល់"),
    Urgency.PAST: Phrase("past", "កន្លងផុត"),
    Urgency.FUTURE: Phrase("future", "នាពេលអនាគត"),
    Urgency.EXPECTED: Phrase("expected", "រំពឹងទុក"),
    Urgency.IMMEDIATE: Phrase("immediate", "ភ្លាមៗ"),
}
_CERTAINTIES = {
    Certainty.UNKNOWN: Phrase("unknown", "មិនស្គាល់"),
    Certainty.UNLIKELY: Phrase("unlikely", "មិនទំនង"),
    Certainty.POSSIBLE: Phrase("possible", "អាចកើតមាន"),
    Certainty.LIKELY: Phrase("likely", "ទំនង"),
    Certainty.VERY_LIKELY: Phrase("very likely", "ទំនងខ្លាំង"),
    Certainty.OBSERVED: Phrase("observed", "បានសង្កេតឃើញ"),
}


def reasons(evidence: Mapping[str, Any]) -> list[Phrase]:
    areas: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for alert in evidence["alerts"]:
        areas[alert["sender"], alert["identifier"]].append(alert)
    worst_first = sorted(
        areas.values(), key=lambda alerts: -AlertSeverity(alerts[0]["severity"]).rank
    )
    told = [_alert(alerts[0], areas=len(alerts)) for alerts in worst_first[:_MAXIMUM_ALERTS]]
    none = Phrase("No alert is in force.", "មិនមានការជូនដំណឹងណាមួយនៅមានសុពលភាពទេ។")
    return [*(told or [none]), *_ended(evidence), _needed(evidence["thresholds"]["activation"])]


def _alert(alert: Mapping[str, Any], *, areas: int) -> Phrase:
    on, count = numbers.day(date.fromisoformat(alert["sent_on"])), numbers.number(areas)
    severity = _SEVERITIES[AlertSeverity(alert["severity"])]
    urgency = _URGENCIES[Urgency(alert["urgency"])]
    certainty = _CERTAINTIES[Certainty(alert["certainty"])]
    event, sender = alert["event"], alert["sender"]
    return Phrase(
        f"{sender} sent an alert on {on.en}: {event}, severity {severity.en}, urgency "
        f"{urgency.en}, certainty {certainty.en}, in {count.en} areas.",
        f"{sender} បានផ្ញើការជូនដំណឹងនៅ{on.km}៖ {event} កម្រិតធ្ងន់ធ្ងរ៖ {severity.km} "
        f"ភាពបន្ទាន់៖ {urgency.km} ភាពប្រាកដ៖ {certainty.km} ក្នុងតំបន់ចំនួន {count.km}។",
    )


def _ended(evidence: Mapping[str, Any]) -> list[Phrase]:
    """What ended the day before: by its sender's word, or by the trigger's rule."""
    ended = {
        (alert["sender"], alert["identifier"]): alert["said_when"]
        for alert in evidence.get("ended", ())
    }
    told = []
    if said := sum(ended.values()):
        count = numbers.number(said)
        told.append(
            Phrase(
                f"{count.en} alerts ended the day before, as their senders had said.",
                f"ការជូនដំណឹងចំនួន {count.km} បានផុតកំណត់នៅថ្ងៃមុន តាមកាលបរិច្ឆេទដែលអ្នកផ្ញើបានកំណត់។",
            )
        )
    if by_rule := len(ended) - said:
        count = numbers.number(by_rule)
        told.append(
            Phrase(
                f"{count.en} alerts that named no end ended the day before by the trigger's rule.",
                f"ការជូនដំណឹងចំនួន {count.km} ដែលគ្មានកាលបរិច្ឆេទផុតកំណត់ បានបញ្ចប់នៅថ្ងៃមុន តាមវិធានរបស់លក្ខខណ្ឌនេះ។",
            )
        )
    return told


def _needed(thresholds: Mapping[str, Any]) -> Phrase:
    severity = _SEVERITIES[AlertSeverity(thresholds["severity"])]
    urgency = _URGENCIES[Urgency(thresholds["urgency"])]
    certainty = _CERTAINTIES[Certainty(thresholds["certainty"])]
    return Phrase(
        f"Activation needs severity {severity.en}, urgency {urgency.en} and certainty "
        f"{certainty.en}, or more.",
        f"ការបើកដំណើរការត្រូវការកម្រិតធ្ងន់ធ្ងរ៖ {severity.km} ភាពបន្ទាន់៖ {urgency.km} "
        f"និងភាពប្រាកដ៖ {certainty.km} ឬលើសពីនេះ។",
    )
