"""Standard Webhooks, against the reference library as the other side."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from shared.signatures import BadSignature, sign, verify

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
NOW = 1_760_000_000


def headers_of(body: bytes, *, secret: str = SECRET, timestamp: int = NOW) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id="msg_1", timestamp=timestamp, body=body),
    }


def test_the_reference_library_accepts_what_we_sign() -> None:
    now = datetime.now(UTC)
    headers = headers_of(b'{"paid": true}', timestamp=int(now.timestamp()))

    assert Webhook(SECRET).verify('{"paid": true}', headers) == {"paid": True}


def test_we_accept_what_the_reference_library_signs() -> None:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_2", now, '{"paid": true}')
    headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }

    assert verify([SECRET], headers=headers, body=b'{"paid": true}', now=now.timestamp()) == "msg_2"


@given(body=st.binary(min_size=1, max_size=200), position=st.integers(0, 10**6))
def test_any_altered_byte_is_refused(body: bytes, position: int) -> None:
    headers = headers_of(body)
    altered = bytearray(body)
    altered[position % len(body)] ^= 1

    with pytest.raises(BadSignature):
        verify([SECRET], headers=headers, body=bytes(altered), now=NOW)


def test_during_a_rotation_either_secret_and_either_signature_will_do() -> None:
    headers = headers_of(b"{}")
    both = dict(headers)
    both["webhook-signature"] = (
        f"{headers_of(b'{}', secret=OTHER)['webhook-signature']} " + (headers["webhook-signature"])
    )

    assert verify([OTHER, SECRET], headers=headers, body=b"{}", now=NOW) == "msg_1"
    assert verify([SECRET], headers=both, body=b"{}", now=NOW) == "msg_1"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", SECRET[:30]])
def test_a_secret_that_anybody_can_guess_signs_and_verifies_nothing(secret: str) -> None:
    guessed = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(guessed, f"msg_1.{NOW}.{{}}".encode(), hashlib.sha256)
    forged = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    with pytest.raises(ValueError, match="24 bytes or more"):
        verify([secret], headers=forged, body=b"{}", now=NOW)


@pytest.mark.parametrize("late_seconds", [-301, 301])
def test_a_message_from_another_time_is_refused(late_seconds: int) -> None:
    with pytest.raises(BadSignature, match="300 seconds"):
        verify([SECRET], headers=headers_of(b"{}"), body=b"{}", now=NOW + late_seconds)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "x" * 129),
        ("webhook-id", "msg\x00"),
        ("webhook-id", "\ud800"),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "²"),
        ("webhook-timestamp", "1" * 5000),
        ("webhook-signature", ""),
        ("webhook-signature", "v2,AAAA"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,,,v1"),
        ("webhook-signature", "v1,não é base64"),
        ("webhook-signature", "v1,\ud800"),
        ("webhook-signature", "v1, " * 10_000),
    ],
)
def test_a_malformed_header_is_refused(header: str, value: str) -> None:
    with pytest.raises(BadSignature, match="webhook-"):
        verify([SECRET], headers={**headers_of(b"{}"), header: value}, body=b"{}", now=NOW)


_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
_TEXT = st.text(st.characters(codec="latin-1")) | st.text(st.characters())
_LOOKALIKES = {
    "webhook-id": _TEXT,
    "webhook-timestamp": _TEXT
    | st.sampled_from([str(NOW), f"+{NOW}", f" {NOW}", f"{NOW}.0", "1e9", "inf", "nan", "0x10"])
    | st.integers().map(str),
    "webhook-signature": _TEXT
    | st.lists(st.sampled_from(["v1", "v1,", "v1,AAAA", "v1a,AAAA", ",", "v2,x"])).map(" ".join),
}


@given(
    headers=st.fixed_dictionaries({}, optional=_LOOKALIKES),
    body=st.binary(max_size=100),
    now=st.integers(0, 10**10) | st.just(NOW),
)
def test_whatever_a_stranger_sends_is_a_bad_signature(
    headers: dict[str, str], body: bytes, now: int
) -> None:
    with pytest.raises(BadSignature, match="webhook-"):
        verify([OTHER, SECRET], headers=headers, body=body, now=now)


@given(
    message_id=st.text(st.characters(codec="latin-1"), max_size=130),
    body=st.binary(max_size=300),
    changed=st.sampled_from([None, *_NAMES]),
    data=st.data(),
)
def test_what_is_signed_is_verified_and_no_header_of_it_can_be_exchanged(
    message_id: str, body: bytes, changed: str | None, data: st.DataObject
) -> None:
    signature = sign(SECRET, message_id=message_id, timestamp=NOW, body=body)
    headers = dict(zip(_NAMES, (message_id, str(NOW), signature), strict=True))
    if changed is not None:
        before = headers[changed]
        headers[changed] = data.draw(_LOOKALIKES[changed].filter(lambda value: value != before))
    if changed is None and 0 < len(message_id) <= 128 and message_id.isprintable():
        assert verify([OTHER, SECRET], headers=headers, body=body, now=NOW) == message_id
    else:
        with pytest.raises(BadSignature, match="webhook-"):
            verify([OTHER, SECRET], headers=headers, body=body, now=NOW)
