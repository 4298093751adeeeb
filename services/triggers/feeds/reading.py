"""Reading what a feed answered, by its document's format."""

from dataclasses import replace
from typing import assert_never

from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.formats.alerts import AlertsFormat, read_alerts
from services.triggers.feeds.formats.atom import Entries, read_entries
from services.triggers.feeds.formats.batches import BatchesFormat, read_batches
from services.triggers.feeds.formats.extents import ExtentsFormat, read_extents
from services.triggers.feeds.formats.prices import PricesFormat, read_prices
from services.triggers.feeds.formats.rainfall import RainfallFormat, read_rainfall
from services.triggers.feeds.formats.reading import Reading, Setting, Unreadable


def read(content: bytes, document: FeedDocument, setting: Setting) -> Reading:
    """What one answer says. Pure, and may take seconds."""
    match document.format:
        case BatchesFormat() as form:
            return read_batches(content, form, setting)
        case PricesFormat() as form:
            return read_prices(content, form, setting)
        case RainfallFormat() as form:
            return read_rainfall(content, form, setting)
        case ExtentsFormat() as form:
            return read_extents(content, form, setting)
        case AlertsFormat() as form:
            return read_alerts([("the alert", content)], form, setting)
        case never:
            assert_never(never)


def read_file(content: bytes, document: FeedDocument, setting: Setting) -> Reading:
    """What a file says that somebody sends in place of an answer. Pure, and may take seconds.

    Alerts come by themselves or in an Atom feed, whichever of the two is pulled: nothing that a
    file links to is fetched.
    """
    if not isinstance(document.format, AlertsFormat):
        return read(content, document, setting)
    entries = read_entries(content)
    if entries.unreadable is not None:
        return read(content, document, setting)
    linked = [Unreadable(where, _ONLY_LINKED) for where, _ in entries.links]
    held = replace(entries, refused=[*entries.refused, *linked])
    return read_entries_of(held, document, setting)


_ONLY_LINKED = "It links to its alert, which is not fetched for a file. Send that alert itself."


def read_entries_of(entries: Entries, document: FeedDocument, setting: Setting) -> Reading:
    """What the entries of an Atom feed say, with those that were fetched."""
    assert isinstance(document.format, AlertsFormat)
    return read_alerts(entries.alerts, document.format, setting, elsewhere=entries.refused)
