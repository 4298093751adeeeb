"""Alerts as the Common Alerting Protocol has them (OASIS CAP 1.1 and 1.2).

An alert becomes one figure for each area in which it says something: the rank of its severity
(unknown 0, minor 1, moderate 2, severe 3, extreme 4), dated the day on which it was sent, with
what else it says beside it. Areas come from geocodes that the feed's document knows, and from
polygons and circles laid over the communes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.triggers.areas import COUNTRY, AreaCode, AreaLevel, level_of
from services.triggers.feeds.formats.reading import Reading, Row, Setting, Unreadable
from services.triggers.feeds.formats.signatures import SignatureRefused, Signing, signed_part
from services.triggers.feeds.formats.xml import (
    Element,
    XmlRefused,
    local_name,
    namespace,
    parsed,
)
from services.triggers.geography.boundaries import shipped_boundaries
from services.triggers.geography.overlap import lay_over
from services.triggers.geography.shapes import Shape, ShapeRefused, circle, polygon
from shared.documents import Code
from shared.values import Instant, Measure, Text

NAMESPACES = {
    "urn:oasis:names:tc:emergency:cap:1.1",
    "urn:oasis:names:tc:emergency:cap:1.2",
}
SEVERITIES = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
"""In the order of their ranks."""

_CHOICES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": set(SEVERITIES),
    # "Very Likely" is CAP 1.0's word, which 1.1 keeps for "Likely".
    "certainty": {"Observed", "Likely", "Very Likely", "Possible", "Unlikely", "Unknown"},
}
_OF_ALERT = ("identifier", "sender", "sent", "status", "msgType", "scope")
_OF_INFO = ("category", "event", "urgency", "severity", "certainty")
_TOLD = {"Alert", "Update", "Cancel"}
_MAXIMUM_INFOS = 50
_MAXIMUM_AREAS = 500
_MAXIMUM_TEXT_CHARACTERS = 500
_MAXIMUM_REFERENCES = 100
_NUMBER = r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,15})?"
_PAIR = re.compile(rf"({_NUMBER}),({_NUMBER})")
_CIRCLE = re.compile(rf"({_NUMBER}),({_NUMBER})\s+([0-9]{{1,5}}(?:\.[0-9]{{1,15}})?)")
_UNFIT_FOR_A_REFERENCE = re.compile(r"[\s,<&]")
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_LINE: TypeAdapter[str] = TypeAdapter(Annotated[str, Text(longest=_MAXIMUM_TEXT_CHARACTERS)])


class AlertSeries(BaseModel):
    """Which alerts are figures of one indicator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: Code
    events: Annotated[
        list[Annotated[str, Text(longest=200)]],
        Field(
            max_length=100,
            description="The alerts' events, in any of their languages. Left empty: all.",
        ),
    ] = []

    def takes(self, event: str) -> bool:
        return not self.events or event.casefold() in {name.casefold() for name in self.events}


class Geocodes(BaseModel):
    """Codes of one system that alerts name areas by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Text(longest=200), Field(description="The geocodes' `valueName`.")]
    areas: Annotated[
        dict[Annotated[str, Text(longest=100)], AreaCode],
        Field(
            max_length=2_000,
            description="The area of each value. Left empty: the values are codes of the "
            "national gazetteer.",
        ),
    ] = {}


class AlertsFormat(BaseModel):
    """An alert, or an Atom feed of alerts, in the Common Alerting Protocol 1.1 or 1.2."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["cap", "cap-atom"]
    series: Annotated[list[AlertSeries], Field(min_length=1, max_length=20)]
    geocodes: Annotated[list[Geocodes], Field(max_length=10)] = []
    least_share: Annotated[
        float,
        Measure(least=0, most=1),
        Field(
            description="Of a commune that a polygon or circle has to cover for the alert to be "
            "about it."
        ),
    ] = 0.1
    senders: Annotated[
        list[Annotated[str, Text(longest=200)]],
        Field(max_length=20, description="Whose alerts are taken. Left empty: anybody's."),
    ] = []
    signing: Annotated[
        Signing | None, Field(description="By whom alerts are signed. Left out: not checked.")
    ] = None

    def brings(self) -> set[str]:
        """The indicators of which it may bring figures."""
        return {series.indicator for series in self.series}


class _Refused(ValueError):
    """An alert that is not recorded; says why."""


@dataclass(frozen=True, kw_only=True)
class _Info:
    """What an alert says, in one of its languages."""

    event: str
    urgency: str
    severity: str
    certainty: str
    onset: datetime | None
    expires: datetime | None
    areas: Sequence[Element]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert as it was sent."""

    where: str
    identifier: str
    sender: str
    sent: datetime
    status: str
    msg_type: str
    references: Sequence[tuple[str, str]]
    """The sender and the identifier of each earlier alert that it stands in place of."""
    infos: Sequence[_Info]


def read_alerts(
    contents: Iterable[tuple[str, bytes]],
    document: AlertsFormat,
    setting: Setting,
    *,
    elsewhere: Sequence[Unreadable] = (),
) -> Reading:
    """Alerts, each as a document with words for where it stood; ``elsewhere``: not even those."""
    refused = list(elsewhere)
    alerts: dict[tuple[str, str], Alert] = {}
    seen = 0
    for where, content in contents:
        seen += 1
        try:
            alert = _alert(content, where, document, setting)
        except (_Refused, SignatureRefused, XmlRefused) as error:
            refused.append(Unreadable(where, str(error)))
            continue
        alerts[alert.sender, alert.identifier] = alert
    rows = []
    for alert in alerts.values():
        for row in _rows(alert, alerts, document, setting):
            if isinstance(row, Unreadable):
                refused.append(row)
            else:
                rows.append((alert, row))
    return Reading(seen=seen + len(elsewhere), rows=list(_standing(rows)), refused=refused)


def _standing(rows: Sequence[tuple[Alert, Row]]) -> Iterator[Row]:
    """For each area and day what stands at the end: of alerts that none replaced, the severest.

    It counts as issued when the last of them was sent.
    """

    def key(pair: tuple[Alert, Row]) -> tuple[str, str, date]:
        return pair[1].indicator, pair[1].area, pair[1].observed_on

    for _, same in groupby(sorted(rows, key=key), key=key):
        said = list(same)
        replaced = {reference for alert, _ in said for reference in alert.references}
        standing = [
            (alert, row) for alert, row in said if (alert.sender, alert.identifier) not in replaced
        ] or said
        # A cancellation counts only where nothing else stands.
        _, row = max(
            standing,
            key=lambda pair: (
                pair[0].msg_type != "Cancel",
                pair[1].value or Decimal(0),
                pair[0].sent,
                pair[0].identifier,
            ),
        )
        yield row._replace(issue=max(row.issue for _, row in said))


def _rows(
    alert: Alert,
    others: Mapping[tuple[str, str], Alert],
    document: AlertsFormat,
    setting: Setting,
) -> Iterator[Row | Unreadable]:
    infos = list(alert.infos)
    if not infos and alert.msg_type == "Cancel":
        # It says no more than which alerts it ends: it is about what they were about.
        infos = [info for key in alert.references if key in others for info in others[key].infos]
        if not infos:
            yield Unreadable(
                alert.where,
                "It cancels alerts that are not here, and says nothing of where they were. See "
                "what it refers to, and post the end of it by hand.",
            )
    for series in document.series:
        about = [info for info in infos if series.takes(info.event)]
        if not about:
            continue
        level = setting.levels.get(series.indicator, AreaLevel.COMMUNE)
        by_area: dict[str, _Info] = {}
        faults: list[str] = []
        for info in about:
            for area in info.areas[:_MAXIMUM_AREAS]:
                codes, area_faults = _codes(area, document, level)
                faults += area_faults
                for code in codes:
                    before = by_area.get(code)
                    if before is None or _rank(info) > _rank(before):
                        by_area[code] = info
        for fault in dict.fromkeys(faults):
            yield Unreadable(alert.where, fault)
        if not by_area and not faults:
            yield Unreadable(alert.where, _nowhere(about, document))
        for code, info in sorted(by_area.items()):
            yield _row(alert, info, code, series, setting)


def _nowhere(infos: Sequence[_Info], document: AlertsFormat) -> str:
    """Why an alert is about no area."""
    known = {geocodes.name for geocodes in document.geocodes}
    for info in infos:
        for area in info.areas:
            is_drawn = any(
                (element.text or "").strip()
                for name in ("polygon", "circle")
                for element in _children(area, name)
            )
            if is_drawn or any(
                _text(geocode, "valueName") in known for geocode in _children(area, "geocode")
            ):
                return "It is about no area of the country."
    return (
        "It names areas in words only, or by geocodes that the feed's document does not know. "
        "Name those under geocodes."
    )


def _row(alert: Alert, info: _Info, area: str, series: AlertSeries, setting: Setting) -> Row:
    sent = alert.sent.astimezone(setting.zone)
    midnight = sent.replace(hour=0, minute=0, second=0, microsecond=0)
    return Row(
        where=alert.where,
        indicator=series.indicator,
        area=area,
        place=None,
        source=setting.source,
        observed_on=sent.date(),
        published_on=sent.date(),
        value=Decimal(_rank(info)),
        issue=1 + int((sent - midnight).total_seconds()),
        details={
            "identifier": alert.identifier,
            "sender": alert.sender,
            "event": info.event,
            "urgency": info.urgency,
            "certainty": info.certainty,
            "status": alert.status,
            "msg_type": alert.msg_type,
            "onset": _told(info.onset),
            "expires": _told(info.expires),
            "references": [identifier for _, identifier in alert.references],
        },
    )


def _rank(info: _Info) -> int:
    return SEVERITIES.index(info.severity)


def _told(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat() if instant else None


def _alert(content: bytes, where: str, document: AlertsFormat, setting: Setting) -> Alert:
    signing = document.signing
    root = signed_part(content, signing, on=setting.on) if signing else parsed(content)
    if not is_alert(root):
        raise _Refused("It is no alert of CAP 1.1 or 1.2.")
    fields = {name: _required(root, name, of="alert") for name in _OF_ALERT}
    for name in ("identifier", "sender"):
        if _UNFIT_FOR_A_REFERENCE.search(fields[name]):
            raise _Refused(f"Its {name} holds a blank, a comma, < or &.")
    if document.senders and fields["sender"] not in document.senders:
        raise _Refused("The feed's document does not name its sender.")
    if fields["status"] != "Actual":
        raise _Refused(f"Its status is {fields['status']}: it is no actual alert.")
    if fields["msgType"] not in _TOLD:
        raise _Refused(f"Its msgType is {fields['msgType']}: it alerts of nothing.")
    sent = _instant(fields["sent"], "sent")
    if sent.astimezone(setting.zone).date() > setting.on:
        raise _Refused("It was sent after today, by its own account.")
    infos = _children(root, "info")
    if len(infos) > _MAXIMUM_INFOS:
        raise _Refused(f"It has more than {_MAXIMUM_INFOS} parts (info).")
    if not infos and fields["msgType"] != "Cancel":
        raise _Refused("It says nothing: it has no info.")
    return Alert(
        where=f"{where} ({fields['identifier'][:100]})",
        identifier=fields["identifier"],
        sender=fields["sender"],
        sent=sent,
        status=fields["status"],
        msg_type=fields["msgType"],
        references=_references(_text(root, "references")),
        infos=[_info(info) for info in infos],
    )


def _info(element: Element) -> _Info:
    fields = {name: _required(element, name, of="info") for name in _OF_INFO}
    areas = _children(element, "area")
    if len(areas) > _MAXIMUM_AREAS:
        raise _Refused(f"It names more than {_MAXIMUM_AREAS} areas.")
    onset, expires = (_text(element, name) for name in ("onset", "expires"))
    return _Info(
        event=fields["event"],
        urgency=fields["urgency"],
        severity=fields["severity"],
        certainty=fields["certainty"],
        onset=_instant(onset, "onset") if onset else None,
        expires=_instant(expires, "expires") if expires else None,
        areas=areas,
    )


def _codes(area: Element, document: AlertsFormat, level: AreaLevel) -> tuple[set[str], list[str]]:
    """The areas, of the indicator's level, that an element `area` is about; and its faults."""
    codes: set[str] = set()
    faults: list[str] = []
    for geocode in _children(area, "geocode"):
        name, value = _text(geocode, "valueName"), _text(geocode, "value")
        for known in document.geocodes:
            if known.name != name:
                continue
            code = known.areas.get(value) if known.areas else _gazetteer_code(value)
            if code is None:
                faults.append(f"The geocode {value[:50]!r} of {name[:100]} is no known area.")
            else:
                codes |= _of_level(code, level)
    for shape in _shapes(area, faults):
        laid = lay_over(shape)
        for commune, share in laid.without_code:
            if share >= max(document.least_share, 0.01):
                faults.append(
                    f"It covers {share:.0%} of the commune {commune.name} in province "
                    f"{commune.province}, whose boundary carries no code: no figure is given to it."
                )
        for code, share in laid.overlaps:
            if share >= document.least_share:
                codes |= _of_level(code, level)
    return codes, faults


def _gazetteer_code(value: str) -> str | None:
    try:
        code: str = TypeAdapter(AreaCode).validate_python(value)
    except ValidationError:
        return None
    return code


def _of_level(code: str, level: AreaLevel) -> set[str]:
    """The areas of a level that a code stands for: its parent's, itself, or its parts."""
    if level is AreaLevel.COUNTRY:
        return {COUNTRY}
    if level_of(code) is level:
        return {code}
    digits = _DIGITS[level]
    if code != COUNTRY and len(code) > digits:
        return {code[:digits]}
    prefix = "" if code == COUNTRY else code
    return {
        commune[:digits]
        for commune in shipped_boundaries().codes
        if commune.startswith(prefix) and digits <= len(commune)
    }


_DIGITS = {
    AreaLevel.PROVINCE: 2,
    AreaLevel.DISTRICT: 4,
    AreaLevel.COMMUNE: 6,
    AreaLevel.VILLAGE: 8,
}


def _shapes(area: Element, faults: list[str]) -> Iterator[Shape]:
    for name, read in (("polygon", _polygon), ("circle", _circle)):
        for element in _children(area, name):
            text = (element.text or "").strip()
            if not text:
                continue
            try:
                yield read(text)
            except ShapeRefused as error:
                faults.append(f"A {name} is refused: {error}")


def _polygon(text: str) -> Shape:
    """Latitude before longitude, as CAP writes pairs."""
    points = []
    for pair in text.split():
        found = _PAIR.fullmatch(pair)
        if found is None:
            raise ShapeRefused("A point is no latitude,longitude in degrees.")
        points.append((float(found[2]), float(found[1])))
    return polygon(points)


def _circle(text: str) -> Shape:
    found = _CIRCLE.fullmatch(text)
    if found is None:
        raise ShapeRefused("It is no latitude,longitude and radius in kilometres.")
    return circle((float(found[2]), float(found[1])), radius_kilometres=float(found[3]))


def _references(text: str) -> list[tuple[str, str]]:
    found = []
    for reference in text.split()[:_MAXIMUM_REFERENCES]:
        parts = reference.split(",")
        if len(parts) == 3:
            found.append((parts[0], parts[1]))
    return found


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if child.tag == f"{{{namespace(element)}}}{name}"]


def _text(element: Element, name: str) -> str:
    children = _children(element, name)
    return (children[0].text or "").strip() if children else ""


def _required(element: Element, name: str, *, of: str) -> str:
    children = _children(element, name)
    if len(children) != 1 and not (name == "category" and children):
        many = "several times" if children else "not at all"
        raise _Refused(f"Its {of} has the element {name} {many}.")
    try:
        text = _LINE.validate_python((children[0].text or "").strip())
    except ValidationError:
        raise _Refused(f"Its {name} is empty, too long or no text.") from None
    if name in _CHOICES and text not in _CHOICES[name]:
        raise _Refused(f"Its {name} is none of {', '.join(sorted(_CHOICES[name]))}.")
    return text


def _instant(text: str, name: str) -> datetime:
    try:
        return _INSTANT.validate_python(text)
    except ValidationError:
        raise _Refused(f"Its {name} is no instant with its offset from UTC.") from None


def is_alert(element: Element) -> bool:
    """Whether an element is an alert of a version that is read."""
    return local_name(element) == "alert" and namespace(element) in NAMESPACES
