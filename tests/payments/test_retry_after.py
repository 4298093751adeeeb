"""How long a provider asks to be left alone, in each way in which it may say so, and others."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.providers.retry_after import LONGEST_REST_SECONDS, rest_seconds

NOW = datetime(2020, 10, 12, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("30", 30),
        (" 30 ", 30),
        ("86400", LONGEST_REST_SECONDS),
        ("9" * 5_000, LONGEST_REST_SECONDS),
        ("Mon, 12 Oct 2020 05:00:20 GMT", 20),
        ("Monday, 12-Oct-20 05:00:20 GMT", 20),
        ("Mon Oct 12 05:00:20 2020", 20),
        ("Mon, 12 Oct 2020 12:00:20 +0700", 20),
        ("Mon, 12 Oct 2099 05:00:20 GMT", LONGEST_REST_SECONDS),
        ("Fri, 12 Oct 1990 05:00:20 GMT", 0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣٠", None),
        ("soon", None),
        ("Mon, 99 Oct 2020 05:00:20 GMT", None),
        ("Mon, 12 Oct 99999999999 05:00:20 GMT", None),
        ("Mon, 12 Oct 2020 05:00:20 +9999", None),
        ("x" * 100_000, None),
    ],
)
def test_what_is_asked_is_read(text: str, seconds: float | None) -> None:
    assert rest_seconds({"Retry-After": text}, now=NOW) == seconds


def test_without_the_header_nothing_is_asked() -> None:
    assert rest_seconds({}, now=NOW) is None


@given(ahead=st.integers(-100_000, 100_000), seconds=st.integers(0, 800))
def test_a_clock_of_the_provider_that_is_wrong_changes_nothing(ahead: int, seconds: int) -> None:
    theirs = NOW + timedelta(seconds=ahead)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=seconds), usegmt=True),
    }
    assert rest_seconds(headers, now=NOW) == seconds


@given(text=st.text(), date=st.text())
def test_whatever_it_sends_is_read_or_not_and_is_bounded(text: str, date: str) -> None:
    found = rest_seconds({"Retry-After": text, "Date": date}, now=NOW)
    assert found is None or 0 <= found <= LONGEST_REST_SECONDS
