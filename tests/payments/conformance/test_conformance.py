"""Every adapter keeps every promise, whatever its provider says."""

import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payments.providers.adapters import ADAPTERS, VERIFIERS
from services.payments.providers.lines import MAXIMUM_REPLY_BYTES
from tests.payments.conformance.driving import api_settings, driven, order
from tests.payments.conformance.promises import ABOUT, ALWAYS, MAY_BE_PAID, Promise
from tests.payments.conformance.sides import Saying, Spoken
from tests.payments.conformance.spoken import BY_HAND, REGISTERED, SPOKEN

pytestmark = pytest.mark.long

PROMISED = [
    pytest.param(spoken, promise, id=f"{spoken.protocol}-{promise.__name__}")
    for spoken in SPOKEN
    for promise in (
        *ALWAYS,
        *(promise for saying, promise in ABOUT.items() if saying not in spoken.unsaid),
    )
]

UNREADABLE = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"completed"',
    "an empty object": b"{}",
    "no Unicode": b"\xff\xfe\x00",
    "half an object": b'{"status": "comp',
    "a page": b"<html><body>Bad Gateway</body></html>",
    "half a page": b"<html><bo",
    "entities": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "a deep one": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "deep elements": b"<a>" * 5_000,
    "a huge one": b'{"status": "' + b"x" * (MAXIMUM_REPLY_BYTES + 1) + b'"}',
    "a huge number": b'{"status": ' + b"9" * 5_000 + b"}",
    "wrong types": orjson.dumps(
        {
            name: [{"a": None}, -1, 1e300]
            for name in (
                *("status", "transactionStatus", "batchStatus", "batchId", "link", "error"),
                *("errorCategory", "errorCode", "errorParameters", "objectReference", "id"),
                *("serverCorrelationId", "amount", "currency", "transactionReference"),
                *("transactions", "reference", "reason", "state"),
            )
        }
    ),
}
"""Bodies of which no protocol can say what they mean."""
STATUSES = (200, 201, 202, 204, 302, 400, 401, 404, 422, 500, 502)


@pytest.mark.parametrize(("spoken", "promise"), PROMISED)
async def test_an_adapter_keeps_its_promise(
    spoken: Spoken, promise: Promise, tmp_path: Path
) -> None:
    await promise(spoken, tmp_path)


@pytest.mark.parametrize("spoken", SPOKEN, ids=lambda spoken: spoken.protocol)
async def test_what_nobody_can_read_is_no_answer(spoken: Spoken, tmp_path: Path) -> None:
    async with driven(spoken, tmp_path) as driving:
        driving.side.saying = Saying.BABBLES
        has_a_status = driving.side.settings.base_url is not None
        for body in UNREADABLE.values():
            for status in STATUSES if has_a_status else (200,):
                driving.side.babble = (status, body)
                payment = order()
                for answers in (await driving.send([payment]), await driving.ask([payment])):
                    answer = answers[payment.instruction_id]
                    assert answer.kind in MAY_BE_PAID, (status, body[:60], answer)


WORDS = st.sampled_from(
    ["completed", "pending", "failed", "rejected", "businessRule", "status", "link", "errorCode"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("spoken", SPOKEN, ids=lambda spoken: spoken.protocol)
@given(
    body=st.binary(max_size=200) | VALUES.map(orjson.dumps),
    status=st.sampled_from([200, 201, 202, 400, 404, 429, 500, 503]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_nothing_that_is_said_raises_or_pays_what_it_does_not_name(
    spoken: Spoken, body: bytes, status: int
) -> None:
    with tempfile.TemporaryDirectory() as made:
        async with driven(spoken, Path(made)) as driving:
            driving.side.saying = Saying.BABBLES
            driving.side.babble = (status, body)
            payment = order()
            for answers in (await driving.send([payment]), await driving.ask([payment])):
                assert answers[payment.instruction_id].our_reference != payment.instruction_id
            for reader in (
                driving.adapter,
                spoken.verifier(driving.side.settings, api_settings()),
            ):
                told = reader.read_callback(body)
                assert getattr(told, "instruction_id", None) != payment.instruction_id


def test_every_adapter_of_the_registry_is_held_to_the_promises() -> None:
    assert set(ADAPTERS) == set(VERIFIERS)
    assert {spoken.protocol for spoken in REGISTERED} == set(ADAPTERS) - BY_HAND
    for spoken in REGISTERED:
        assert spoken.adapter is ADAPTERS[spoken.protocol]
        assert spoken.verifier is VERIFIERS[spoken.protocol]


def test_what_a_protocol_has_no_word_for_is_excused_with_a_reason() -> None:
    excused = {saying for spoken in SPOKEN for saying in spoken.unsaid}
    assert excused <= set(ABOUT)
    assert set(Saying) - set(ABOUT) == {Saying.ECHOES, Saying.BABBLES}
    assert all(reason for spoken in SPOKEN for reason in spoken.unsaid.values())
