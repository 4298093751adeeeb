"""For how long a reply asks to be left alone: ``Retry-After`` (RFC 9110, section 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_REST_SECONDS = 900.0
"""We leave nobody alone for longer, whatever is asked."""
_DIGITS = 9
_LONGEST_DATE = 64


def rest_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds from now on, from 0 to ``LONGEST_REST_SECONDS``; None: nothing is asked, or it
    cannot be read.

    A date is compared with the reply's own ``Date`` where that can be read, for the provider's
    clock may be another than ours.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:_DIGITS]), LONGEST_REST_SECONDS)
    until = _instant(text)
    if until is None:
        return None
    seconds = (until - (_instant(headers.get("Date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_REST_SECONDS)


def _instant(text: str) -> datetime | None:
    """An HTTP date, in any of its three forms; None: it is none."""
    if not text or len(text) > _LONGEST_DATE or not text.isascii():
        return None
    try:
        read = parsedate_to_datetime(text)
        # Without a zone it is in GMT, as every HTTP date is.
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
