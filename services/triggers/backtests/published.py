"""Histories as their publishers write them: files that a feed's document says how to read."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.formats.prices import PricesFormat
from services.triggers.feeds.formats.rainfall import RainfallFormat
from services.triggers.feeds.formats.reading import Reading, Row, Setting
from services.triggers.feeds.reading import read
from services.triggers.feeds.shipped import DOCUMENTS, shipped_document
from services.triggers.methods.figures import Figure
from services.triggers.quality.units import brought_into
from shared.clock import COUNTRY_ZONE

_OWN_COLUMNS = {"area", "observed_on"}
_MAXIMUM_ROWS = 2_000_000
_REFUSALS_TOLD = 3


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a publisher's file says of one indicator."""

    figures: Sequence[Figure]
    remark: str
    """By which document it was read, how much of it, and what was refused."""


def is_a_publisher_s(text: str) -> bool:
    """Whether a file is a table of columns other than our own."""
    header = next(csv.reader(text.splitlines()[:1]), [])
    return not _OWN_COLUMNS.issubset(name.strip().lower() for name in header)


def shipped_feeds() -> list[FeedDocument]:
    """The feeds that come with the product."""
    codes = sorted(file.stem for file in DOCUMENTS.glob("*.json"))
    return [FeedDocument.model_validate(shipped_document(code)) for code in codes]


def read_published(
    text: str, *, indicator: str, feeds: Iterable[FeedDocument], file: str
) -> Published | str:
    """The figures of an indicator by the first feed that brings it; or why there are none.

    Where the document says how long after its month a figure comes out, it was out then; otherwise
    nobody kept when, and it never was unless the question assumes so.
    """
    why = "no feed's document brings it. Give one that does: --feed FILE.json"
    for feed in feeds:
        if indicator not in feed.format.brings() or not isinstance(
            feed.format, PricesFormat | RainfallFormat
        ):
            continue
        reading = read(text.encode(), feed, _setting(feed))
        if reading.unreadable is not None:
            why = f"as the feed '{feed.code}' it cannot be read: {reading.unreadable}"
            continue
        rows = [row for row in reading.rows if row.indicator == indicator]
        if not rows:
            why = (
                f"as the feed '{feed.code}' it has no row of {indicator} in {reading.seen:,}. Name "
                "what is wanted of it in a feed's document: --feed FILE.json"
            )
            continue
        return _published(rows, reading, feed, file=file)
    return why


def _setting(feed: FeedDocument) -> Setting:
    # A file from a desk was read on no day.
    return Setting(source=feed.source, on=date.max, zone=COUNTRY_ZONE, maximum_rows=_MAXIMUM_ROWS)


def _published(
    rows: Sequence[Row], reading: Reading, feed: FeedDocument, *, file: str
) -> Published:
    unit = rows[0].unit
    figures, unlike = [], 0
    for row in rows:
        value = _in_unit(row, unit)
        if value is None:
            unlike += 1
            continue
        figures.append(
            Figure(
                area=row.area,
                place=row.place,
                source=row.source,
                observed_on=row.observed_on,
                published_on=row.published_on,
                value=float(value),
            )
        )
    of = f"{len(figures):,} figures{f' in {unit}' if unit else ''} of {reading.seen:,} rows"
    said = [f"{file}: read as the feed '{feed.code}' is, {of}."]
    if reading.refused:
        told = " ".join(f"{each.where}: {each.reason}" for each in reading.refused[:_REFUSALS_TOLD])
        said.append(f"Refused: {len(reading.refused):,}, such as {told}")
    if unlike:
        said.append(f"In another unit or currency, and left out: {unlike:,}.")
    return Published(figures=figures, remark=" ".join(said))


def _in_unit(row: Row, unit: str | None) -> Decimal | None:
    """A row's value in the unit of the first."""
    if row.value is None or row.unit == unit:
        return row.value
    if row.unit is None or unit is None:
        return None
    return brought_into(row.value, said=row.unit, unit=unit)
