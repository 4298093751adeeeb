"""The alerts as an Atom feed (RFC 4287), a page at a time (RFC 5005)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.triggers.alerts.cap import EXERCISE, NOT_A_WARNING, instant
from services.triggers.alerts.message import Sent
from services.triggers.alerts.xml import ATOM, as_document, put, root_of
from shared.wording.phrase import Phrase

ID = "urn:sangkroh:alerts"
_TITLE = Phrase("Activations of cash programmes", "ការបើកដំណើរការកម្មវិធីឧបត្ថម្ភសាច់ប្រាក់")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One activation, by the latest message about it."""

    activation_id: UUID
    opened_at: datetime
    latest: Sent
    headline: Phrase
    areas: int


def written(
    entries: Sequence[Entry],
    *,
    sender: str,
    is_exercise: bool,
    updated_at: datetime,
    self_reference: str,
    next_reference: str | None,
) -> bytes:
    """The feed as a document. References are relative to its own address, whatever that is."""
    feed = root_of(ATOM, "feed")
    put(feed, "id", ID)
    put(feed, "title", f"{_TITLE.en} · {_TITLE.km}")
    put(feed, "subtitle", _said(NOT_A_WARNING, is_exercise=is_exercise))
    put(feed, "updated", instant(updated_at))
    author = put(feed, "author")
    put(author, "name", sender)
    put(feed, "link", rel="self", type="application/atom+xml", href=self_reference)
    put(feed, "link", rel="first", type="application/atom+xml", href="alerts")
    if next_reference is not None:
        put(feed, "link", rel="next", type="application/atom+xml", href=next_reference)
    for each in entries:
        entry = put(feed, "entry")
        put(entry, "id", f"urn:uuid:{each.activation_id}")
        put(entry, "title", f"{each.headline.en} · {each.headline.km}")
        put(entry, "published", instant(each.opened_at))
        put(entry, "updated", instant(each.latest.at))
        put(
            entry,
            "link",
            rel="alternate",
            type="application/cap+xml",
            href=f"alerts/{each.activation_id}",
        )
        put(
            entry,
            "summary",
            f"{each.latest.kind}; {each.areas}. {_said(NOT_A_WARNING, is_exercise=is_exercise)}",
        )
    return as_document(feed)


def _said(phrase: Phrase, *, is_exercise: bool) -> str:
    said = f"{phrase.en} {phrase.km}"
    return f"{EXERCISE.en} {EXERCISE.km} {said}" if is_exercise else said
