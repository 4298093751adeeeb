"""Atom feeds of alerts (RFC 4287): entries that hold an alert, or link to it."""

from dataclasses import dataclass, field

from services.triggers.feeds.formats.alerts import is_alert
from services.triggers.feeds.formats.reading import Unreadable
from services.triggers.feeds.formats.xml import (
    Element,
    XmlRefused,
    local_name,
    namespace,
    parsed,
    written,
)

ATOM = "http://www.w3.org/2005/Atom"
MAXIMUM_ENTRIES = 200
_ALERT_TYPES = {"application/cap+xml", "application/common-alerting-protocol+xml"}
_XML_TYPES = {"application/xml", "text/xml"}


@dataclass(kw_only=True)
class Entries:
    """What the entries of a feed hold, each with words for where it stands."""

    alerts: list[tuple[str, bytes]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Unreadable] = field(default_factory=list)
    unreadable: str | None = None


def read_entries(content: bytes) -> Entries:
    """The alerts of a feed, and the addresses of those that have to be fetched."""
    try:
        root = parsed(content)
    except XmlRefused as error:
        return Entries(unreadable=str(error))
    if local_name(root) != "feed" or namespace(root) != ATOM:
        return Entries(unreadable="It is no Atom feed.")
    elements = [child for child in root if child.tag == f"{{{ATOM}}}entry"]
    if len(elements) > MAXIMUM_ENTRIES:
        return Entries(unreadable=f"It has more than {MAXIMUM_ENTRIES} entries.")
    entries = Entries()
    for number, entry in enumerate(elements, start=1):
        where = f"entry {number}"
        embedded = [child for part in entry if part.tag == f"{{{ATOM}}}content" for child in part]
        alerts = [child for child in embedded if is_alert(child)]
        link = _link(entry)
        if alerts:
            entries.alerts.append((where, written(alerts[0])))
        elif link:
            entries.links.append((where, link))
        else:
            entries.refused.append(Unreadable(where, "It holds no alert and links to none."))
    return entries


def _link(entry: Element) -> str | None:
    """The address of its alert: by a type that says so, else the only one in XML or untyped."""
    links = [child for child in entry if child.tag == f"{{{ATOM}}}link" and child.get("href")]
    others = []
    for link in links:
        kind = link.get("type", "").partition(";")[0].strip().lower()
        if kind in _ALERT_TYPES:
            return str(link.get("href"))
        if kind in _XML_TYPES or not kind:
            others.append(str(link.get("href")))
    # Content may be given by reference as well.
    contents = [child for child in entry if child.tag == f"{{{ATOM}}}content" and child.get("src")]
    if contents:
        return str(contents[0].get("src"))
    return others[0] if len(others) == 1 else None
